"""What is raised: what went wrong with the world, by whose turn it is. What went wrong with one record is returned.

CrmBridgeError
├── UsageError                (also ValueError)  the program must change
│   ├── PairError             a pair, or a field that a gate or key names, cannot work: type, read-only, unknown name
│   ├── CapabilityError       the pipeline needs what a connector does not claim
│   ├── SettingsError         path, the wrong value's type, the nearest valid name
│   ├── NoFlow                a verb of a connector is no flow, or yields or returns what its contract does not say
│   └── MissingExtra          names the extra to install
├── AdapterError              has .system, .status, .retry, never a body with values
│   ├── NotAllowed            401, 403: the operator's turn
│   ├── Throttled             429 or a quota: .until
│   ├── Unreachable           network, 5xx, time-out: .may_have_arrived
│   ├── Refused               4xx for the whole batch
│   ├── OriginRefused         an address outside the account's origins; nothing was sent
│   └── ContractBroken        the adapter or the vendor answered something impossible, or too much
├── ForgedDelivery            a webhook's authentication or age is wrong
├── StateError
│   ├── LeaseHeld             another run has it
│   ├── FenceStale            the lease was lost; nothing was committed
│   ├── StoreTooNew           written by a newer version
│   └── StoreDamaged
├── PlanRefused               a plan's file is broken, or a plan is of another pipeline or store; nothing was written
├── GuardTripped              .pipeline, .objection, .written
├── BundleFailed              pipelines of a bundle could not be run: .errors by name, .report of the others
└── RunFailed                 only from Report.raise_for_failures()

All of them can be pickled, so that they reach whoever gave work to a pool of processes. Reports and plans read from their
store and stay where they are: `.report` is to be had in the process in which the error was raised.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import attrs

from .reasons import Reason

if TYPE_CHECKING:
    from .bundles import BundlePlan, BundleReport
    from .report import Report


T = TypeVar("T")


@attrs.frozen
class _Here(Generic[T]):
    """Holds what stays in its process: where it arrives in another, it holds nothing."""

    held: T | None = attrs.field(repr=False)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return _Here, (None,)

    def get(self) -> T:
        """Give what is held; raises UsageError where it stayed behind."""
        if self.held is None:
            raise UsageError("this error came from another process; what it reports of is read from the store there")
        return self.held


def _anew(kind: type[CrmBridgeError], said: tuple[Any, ...]) -> CrmBridgeError:
    return kind.__new__(kind, *said)


class Retry(enum.StrEnum):
    """Whether asking again makes sense."""

    NEVER = "never"
    LATER = "later"
    LOOK_FIRST = "look_first"
    """It may have been done: look before asking again."""


class CrmBridgeError(Exception):
    """What this library raises of its own.

    Two errors of Python's are raised beside them: `OSError` where a file that was named cannot be read or written, and
    `ValueError` by what takes a single value, as a codec, since it refuses that value alone.
    """

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]:
        # Python makes an exception anew by calling its class with its text, and many of these are made from other things.
        return _anew, (type(self), self.args), vars(self)


class UsageError(CrmBridgeError, ValueError):
    """The program must change."""


class PairError(UsageError):
    """A pair of fields, or a field that a gate, a case, a key or a look-up names, cannot work; the message has the remedy."""


class CapabilityError(UsageError):
    """The pipeline needs what a connector does not claim."""


class SettingsError(UsageError):
    """A setting is wrong; the message has the path, the wrong value's type and the nearest valid name."""


class NoFlow(UsageError):
    """A verb of a connector is no flow, yields what is no effect, or returns what its contract does not say."""


class MissingExtra(UsageError):
    """An optional part is not installed; `.extra` names it."""

    def __init__(self, extra: str, needs: str) -> None:
        super().__init__(f"{needs} is not installed; run: pip install 'crmbridge[{extra}]'")
        self.extra = extra


class AdapterError(CrmBridgeError):
    """A system could not be asked, or answered for a whole request what cannot be used.

    `.system` names it, `.status` is that of HTTP where there was an answer, `.code` the system's own word for it, and
    `.retry` says whether asking again makes sense.
    """

    retry: ClassVar[Retry] = Retry.NEVER

    def __init__(self, system: str, said: str, *, status: int | None = None, code: str = "") -> None:
        status_text = f" ({status}{' ' + code if code else ''})" if status is not None else ""
        super().__init__(f"{system}: {said}{status_text}")
        self.system = system
        self.status = status
        self.code = code


class NotAllowed(AdapterError):
    """The system refuses the credential, or the user may not do this: the operator's turn."""


class Throttled(AdapterError):
    """The system asks us to wait, or the quota is used up; `.until` says until when, where that is known."""

    retry = Retry.LATER

    def __init__(
        self, system: str, said: str, *, status: int | None = None, code: str = "", until: dt.datetime | None = None
    ) -> None:
        super().__init__(system, said, status=status, code=code)
        self.until = until


class Unreachable(AdapterError):
    """The system did not answer, or with a fault of its own; `.may_have_arrived` says whether it may have acted."""

    retry = Retry.LOOK_FIRST

    def __init__(
        self, system: str, said: str, *, status: int | None = None, code: str = "", may_have_arrived: bool
    ) -> None:
        super().__init__(system, said, status=status, code=code)
        self.may_have_arrived = may_have_arrived


class Refused(AdapterError):
    """The system refuses the whole request, and would refuse it again; one value is `crmbridge.preflight.Refused`."""


class OriginRefused(AdapterError):
    """An address lies outside the account's origins; nothing was sent."""


class ContractBroken(AdapterError):
    """The answer is impossible, malformed or too large."""


class ForgedDelivery(CrmBridgeError):
    """A webhook's authentication or age is wrong."""


class StateError(CrmBridgeError):
    """The state store refuses."""


class LeaseHeld(StateError):
    """Another run holds the lease."""


class FenceStale(StateError):
    """The lease was lost to another run; nothing was committed."""


class StoreTooNew(StateError):
    """The store was written by a newer version of this library; nothing was changed."""


class StoreDamaged(StateError):
    """The store cannot be read as ours; nothing was changed."""


class PlanRefused(CrmBridgeError):
    """A plan's file is broken or not ours, or a plan is of another pipeline or store; nothing was written."""


class GuardTripped(CrmBridgeError):
    """A guard objects to the sweep; later runs wait for a person or a lower tally.

    The guards judge the whole queue before the first write, and what only comes up while a run is on before its batch
    is written. `.written` counts the records that had ended as applied by then; of one that is disputed or in
    quarantine, other fields may have been written.
    """

    def __init__(self, pipeline: str, objection: Reason, *, written: int = 0) -> None:
        done = f"{written:,} records had been written by then" if written else "nothing was written"
        super().__init__(f"{pipeline}: {objection}; {done}")
        self.pipeline = pipeline
        self.objection = objection
        self.written = written


class BundleFailed(CrmBridgeError):
    """Some pipelines of a bundle could not be run; the others were.

    `.errors` has what was raised, by pipeline; `.left_out` names those that were not begun, since they refer to one of
    these.
    """

    def __init__(
        self, errors: Mapping[str, CrmBridgeError], left_out: Sequence[str], report: BundlePlan | BundleReport
    ) -> None:
        said = [f"{name}: {error}" for name, error in errors.items()]
        said += [f"{name}: not run, since it refers to one that failed" for name in left_out]
        super().__init__("; ".join(said))
        self.errors = errors
        self.left_out = tuple(left_out)
        self._report: _Here[BundlePlan | BundleReport] = _Here(report)

    @property
    def report(self) -> BundlePlan | BundleReport:
        """Give the report, or plan, of the others; raises UsageError in another process than the one that raised."""
        return self._report.get()


class RunFailed(CrmBridgeError):
    """A run left records in trouble; `.report` has them."""

    def __init__(self, said: str, report: Report | BundleReport) -> None:
        super().__init__(said)
        self._report: _Here[Report | BundleReport] = _Here(report)

    @property
    def report(self) -> Report | BundleReport:
        """Give the report; raises UsageError in another process than the one that raised."""
        return self._report.get()
