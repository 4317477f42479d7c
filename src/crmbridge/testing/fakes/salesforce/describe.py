"""What the org tells about itself: objects, fields, attributes (REST guide, "sObject Describe", "Describe Global")."""

from collections.abc import Iterable
from typing import Any

from crmbridge.testing.fakes.salesforce.aggregates import can_be_aggregated, can_be_grouped
from crmbridge.testing.fakes.salesforce.conditions import ID
from crmbridge.testing.fakes.salesforce.kinds import STAMPED, Kind
from crmbridge.testing.fakes.salesforce.relations import relations
from crmbridge.testing.fakes.salesforce.values import NUMBERS, TEXTS
from crmbridge.testing.tables import Field

_SOAP = {
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "id": "tns:ID",
    "reference": "tns:ID",
}
_DERIVED = frozenset({"ExpectedRevenue", "HasResponded"})


def everything(kinds: Iterable[Kind], version: str) -> dict[str, Any]:
    """Give the list of objects."""
    return {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": [_summary(kind, version) for kind in kinds]}


def basic(kind: Kind, version: str) -> dict[str, Any]:
    """Give what an object's own address shows."""
    recent = [row.id for row in list(kind.table.rows())[-5:]]
    head = f"/services/data/v{version}/sobjects/{kind.name}/"
    items = [{"attributes": {"type": kind.name, "url": head + id}, "Id": id} for id in recent]
    return {"objectDescribe": _summary(kind, version), "recentItems": items}


def whole(kind: Kind, version: str, kinds: Iterable[Kind]) -> dict[str, Any]:
    """Give an object with its fields."""
    children = [
        {
            "cascadeDelete": False,
            "childSObject": found.kind.name,
            "deprecatedAndHidden": False,
            "field": found.field.name,
            "junctionIdListNames": list[str](),
            "junctionReferenceTo": list[str](),
            "relationshipName": found.name,
            "restrictedDelete": False,
        }
        for found in relations(kinds, kind)
    ]
    fields = [_field(kind, field) for field in (ID, *kind.table.fields.values())]
    extra = {
        "fields": fields,
        "childRelationships": children,
        "recordTypeInfos": list[Any](),
        "supportedScopes": list[Any](),
    }
    return _summary(kind, version) | extra


def _summary(kind: Kind, version: str) -> dict[str, Any]:
    shape = kind.shape
    head = f"/services/data/v{version}/sobjects/{kind.name}"
    urls = {"sobject": head, "describe": f"{head}/describe", "rowTemplate": f"{head}/{{ID}}"}
    return {
        "activateable": False,
        "createable": shape.writable,
        "custom": kind.name.endswith("__c"),
        "customSetting": False,
        "deletable": shape.deletable,
        "deprecatedAndHidden": False,
        "feedEnabled": False,
        "hasSubtypes": False,
        "isSubtype": False,
        "keyPrefix": kind.prefix,
        "label": kind.table.label,
        "labelPlural": f"{kind.table.label}s",
        "layoutable": True,
        "mergeable": kind.name in ("Lead", "Contact", "Account"),
        "mruEnabled": True,
        "name": kind.name,
        "queryable": True,
        "replicateable": True,
        "retrieveable": True,
        "searchable": True,
        "triggerable": True,
        "undeletable": shape.deletable,
        "updateable": shape.writable,
        "urls": urls,
    }


def _field(kind: Kind, field: Field) -> dict[str, Any]:
    is_text, is_custom = field.type in TEXTS, field.name.endswith("__c")
    is_name = field.name == ("Subject" if kind.name == "Task" else "Name")
    choices = [
        {"active": True, "defaultValue": c == field.default, "label": c, "validFor": None, "value": c}
        for c in field.picklist
    ]
    # Vendor: a boolean is never null, so it is not nillable and yet never required.
    nillable = (
        not field.required
        and field.type not in ("boolean", "id")
        and field.name not in STAMPED
        and field.name != "OwnerId"
    )
    return {
        "aggregatable": can_be_aggregated(field),
        "autoNumber": False,
        "byteLength": field.length * 3 if is_text else field.length,
        "calculated": field.name in _DERIVED,
        "calculatedFormula": None,
        "cascadeDelete": False,
        "caseSensitive": field.case_sensitive,
        "compoundFieldName": None,
        "controllerName": None,
        "createable": field.createable,
        "custom": is_custom,
        "defaultValue": field.default,
        "defaultValueFormula": None,
        "defaultedOnCreate": field.default is not None or field.name in STAMPED or field.name in ("OwnerId", "Id"),
        "dependentPicklist": False,
        "deprecatedAndHidden": False,
        "digits": field.digits,
        "displayLocationInDecimal": False,
        "encrypted": False,
        "externalId": field.external_id,
        "extraTypeInfo": None,
        "filterable": not (field.type == "textarea" and field.length > 255),
        "filteredLookupInfo": None,
        "formulaTreatNullNumberAsZero": False,
        "groupable": can_be_grouped(field),
        "highScaleNumber": False,
        "htmlFormatted": False,
        "idLookup": kind.looks_up(field),
        "inlineHelpText": None,
        "label": field.label,
        "length": field.length,
        "mask": None,
        "maskType": None,
        "name": field.name,
        "nameField": is_name,
        "namePointing": len(field.references) > 1,
        "nillable": nillable,
        "permissionable": is_custom or nillable,
        "picklistValues": choices,
        "polymorphicForeignKey": len(field.references) > 1,
        "precision": field.precision,
        "queryByDistance": False,
        "referenceTargetField": None,
        "referenceTo": list(field.references),
        "relationshipName": field.relationship or None,
        "relationshipOrder": None,
        "restrictedDelete": False,
        "restrictedPicklist": field.restricted,
        "scale": field.scale,
        "searchPrefilterable": field.type == "reference",
        "soapType": "xsd:double" if field.type in NUMBERS else _SOAP.get(field.type, "xsd:string"),
        "sortable": field.type not in ("multipicklist", "textarea"),
        "type": field.type,
        "unique": field.unique,
        "updateable": field.updateable,
        "writeRequiresMasterRead": False,
    }
