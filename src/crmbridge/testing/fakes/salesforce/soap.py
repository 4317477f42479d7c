"""SOAP as far as clients sign in and out by it (SOAP API Developer Guide, "login()", "logout()")."""

import html
import re

import httpx

from crmbridge.testing.fakes.salesforce.auth import Auth
from crmbridge.testing.fakes.salesforce.desk import Reply

_SOAP = """<?xml version="1.0" encoding="UTF-8"?>\
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:partner.soap.sforce.com" \
xmlns:sf="urn:fault.partner.soap.sforce.com" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\
<soapenv:Body>{}</soapenv:Body></soapenv:Envelope>"""
_LOGGED_IN = """<loginResponse><result><metadataServerUrl>{base}/services/Soap/m/{version}/{org}</metadataServerUrl>\
<passwordExpired>false</passwordExpired><sandbox>false</sandbox>\
<serverUrl>{base}/services/Soap/u/{version}/{org}</serverUrl><sessionId>{token}</sessionId><userId>{user}</userId>\
<userInfo><organizationId>{org}</organizationId><sessionSecondsValid>7200</sessionSecondsValid><userId>{user}</userId>\
<userName>{name}</userName></userInfo></result></loginResponse>"""
_FAULT = """<soapenv:Fault><faultcode>sf:INVALID_LOGIN</faultcode><faultstring>INVALID_LOGIN: {text}</faultstring>\
<detail><sf:LoginFault xsi:type="sf:LoginFault"><sf:exceptionCode>INVALID_LOGIN</sf:exceptionCode>\
<sf:exceptionMessage>{text}</sf:exceptionMessage></sf:LoginFault></detail></soapenv:Fault>"""
_XML = {"Content-Type": "text/xml;charset=UTF-8"}
_BODY = re.compile(r"<(?:\w+:)?Body[^<>]*>\s*<(?:\w+:)?(\w+)")


def answer(auth: Auth, request: httpx.Request, base: str) -> Reply:
    """Answer a login, by which older clients turn user name and password into a session, and a logout."""
    text = request.content.decode("utf-8", "replace")
    asked = _BODY.search(text)
    if asked and asked[1] == "logout":
        return _logged_out(auth, _element(text, "sessionId"))
    if asked and asked[1] != "login":
        return _faulty("soapenv:Client", f"No operation available for request {asked[1]}")
    username, password = (_element(text, name) for name in ("username", "password"))
    version = request.url.path.split("/services/Soap/")[1].strip("/").split("/")[-1]
    if not auth.knows(username, password):
        fault = _FAULT.format(text="Invalid username, password, security token; or user locked out.")
        return Reply(500, text=_SOAP.format(fault), headers=_XML)
    name = html.escape(username)
    found = _LOGGED_IN.format(
        base=base, version=html.escape(version), org=auth.org, user=auth.user, token=auth.open(), name=name
    )
    return Reply(200, text=_SOAP.format(found), headers=_XML)


def _logged_out(auth: Auth, token: str) -> Reply:
    if not auth.accepts(token):
        text = "INVALID_SESSION_ID: Invalid Session ID found in SessionHeader: Illegal Session"
        return _faulty("sf:INVALID_SESSION_ID", text)
    auth.end(token)
    return Reply(200, text=_SOAP.format("<logoutResponse/>"), headers=_XML)


def _faulty(code: str, text: str) -> Reply:
    fault = (
        f"<soapenv:Fault><faultcode>{code}</faultcode><faultstring>{html.escape(text)}</faultstring></soapenv:Fault>"
    )
    return Reply(500, text=_SOAP.format(fault), headers=_XML)


def _element(text: str, name: str) -> str:
    found = re.search(rf"<(?:\w+:)?{name}>(.*?)</", text, re.DOTALL)
    return html.unescape(found[1]) if found else ""
