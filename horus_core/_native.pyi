"""The C core of HORUS: shared memory, messages, topics."""

from collections.abc import Callable
from os import PathLike
from typing import Any, ClassVar, final

from numpy.typing import NDArray
from typing_extensions import Buffer, Self

VERSION: str
LAYOUTS: tuple[int, int, int, int]
INDEX_SIZE: int
TYPED: int
MSGPACK: int
DESCRIPTOR: int

def index_format(fd: int, /) -> None: ...
def index_look(fd: int, /) -> tuple[bool, bool, int]: ...
def ring_format(
    fd: int,
    kind: int,
    capacity: int,
    payload: int,
    type_hash: bytes,
    meta: bytes,
    latched: bool,
    large_kept: int = 0,
) -> None: ...
def ring_size(capacity: int, payload: int, meta_length: int, /) -> int: ...
def now_ns() -> int: ...
def offer(fd: int, line: bytes, /) -> int:
    """Write bytes to a stream as far as it takes them without waiting; how many it took."""

@final
class LogFile:
    """Files of a bounded size, of which so many are kept, to which whole lines are appended by any thread."""

    def __new__(cls, limit: int, kept: int, /) -> LogFile: ...
    def use(self, stem: str | None, head: bytes, /) -> None:
        """Write to the files `{stem}-{n}.jsonl` from now on, each of which begins with `head`; None: nowhere."""
    def write(self, line: str, /) -> int:
        """Store an object without its `{`, which gets the next number: 1; 0 without room, -1 without a file."""
    def lose(self) -> None:
        """Count a line that is given up without having been written."""
    def aim(
        self, to: object, fd: int, waits: bool, stamp: str, begin: int, end: int, levels: tuple[bytes, ...], /
    ) -> None:
        """Have line() write to stderr, too, in that time, while sys.stderr is that stream."""
    def unaim(self) -> None: ...
    def line(self, level: int, text: str, head: bytes, source: bytes, /) -> bool | tuple[bool, int, int]:
        """Store and show a line; False: nothing was done. (is_stored, taken, length) where it did not all succeed."""
    @property
    def error(self) -> int:
        """The errno of what found no room last; 0: nothing."""

class Member:
    """This process's membership of a namespace."""

    def __new__(cls, fd: int, namespace: str, observe: bool = False) -> Member: ...
    def alive(self, ident: int, /) -> bool: ...
    def pid(self, ident: int, /) -> int: ...
    def living(self) -> list[int]: ...
    def bump(self) -> None: ...
    def wait(self, epoch: int, deadline_ns: int, /) -> bool: ...
    @property
    def ident(self) -> int: ...
    @property
    def index(self) -> int: ...
    @property
    def namespace(self) -> str: ...
    @property
    def epoch(self) -> int: ...
    @property
    def linked(self) -> bool: ...
    @property
    def locked(self) -> bool: ...
    @property
    def forked(self) -> bool: ...

class Ring:
    """The mapping of a topic's region."""

    def __new__(cls, fd: int, member: Member) -> Ring: ...
    def publishers(self) -> list[dict[str, Any]]: ...
    def subscribers(self) -> list[dict[str, Any]]: ...
    def in_use(self, others: bool, /) -> bool: ...
    def sight(self, number: int, at: int = ..., /) -> tuple[int, int, int, int, bool, int | None] | None: ...
    def sightings(
        self, since: int, limit: int, at: int = ..., /
    ) -> tuple[int, int, list[tuple[int, int, int, int, bool, int | None]]]: ...
    def voids(self) -> tuple[int, int]: ...
    def wake(self) -> None: ...
    @property
    def member(self) -> Member: ...
    @property
    def meta(self) -> bytes: ...
    @property
    def type_hash(self) -> bytes: ...
    @property
    def kind(self) -> int: ...
    @property
    def latched(self) -> bool: ...
    @property
    def capacity(self) -> int: ...
    @property
    def payload(self) -> int: ...
    @property
    def large_kept(self) -> int: ...
    @property
    def size(self) -> int: ...
    @property
    def front(self) -> int: ...
    @property
    def file(self) -> tuple[int, int]: ...
    @property
    def latest_ns(self) -> int | None: ...

class TopicBase:
    """What horus.Topic inherits: the calls that must be fast."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Self: ...
    def send(self, message: Any, /) -> bool: ...
    def recv(self) -> Any: ...
    def has_msg(self) -> bool: ...
    def wait(self, timeout: float | None = None) -> bool: ...
    @property
    def dropped(self) -> int: ...
    @property
    def pending(self) -> int: ...
    @property
    def missed(self) -> int: ...
    @property
    def skipped(self) -> int: ...
    @property
    def _attached(self) -> bool: ...
    @property
    def _publishing(self) -> bool: ...
    @property
    def _receiving(self) -> bool: ...
    @property
    def _row(self) -> int: ...
    @property
    def _ring(self) -> Ring | None: ...
    @property
    def _message_type(self) -> type | None: ...
    _closed: bool
    def _enter(self, member: Member, encode: Any, decode: Any, apart: dict[Any, Any], /) -> None: ...
    def _bind(self, ring: Ring, type: type | None, pool: Pool | None, start: int, /) -> None: ...
    def _publish(self, node: str, /) -> None: ...
    def _announce(self, node: str | None, /) -> None: ...
    def _unbind(self) -> None: ...
    def _checked(self, epoch: int, /) -> None: ...
    def _latest(self) -> Any: ...
    def _peek(self, number: int, /) -> Any: ...
    def _last(self) -> tuple[int, int, int]: ...
    def _settle(self) -> tuple[int, int, int, int, int]: ...
    def _skip(self, keep: int, /) -> None: ...
    def _sent(self) -> tuple[int, int, int]: ...
    def _recv_bytes(self, passed: bytes, /) -> bytes | None: ...
    def _send_bytes(self, data: Any, /) -> bool | None: ...

class NodeBase:
    """The native part of a node: its topics by name, its callbacks and their counters."""

    def send(self, topic: str | type, message: Any, /) -> bool:
        """Publish a message; True when it was stored."""
    def recv(self, topic: str | type, /) -> Any:
        """The next message of the topic, or None."""
    def get(self, topic: str | type, /) -> Any:
        """The same as recv()."""
    def has_msg(self, topic: str | type, /) -> bool:
        """Whether a message waits on the topic."""
    def log_debug(self, message: str, every: float | None = None) -> None:
        """Log at level debug; with `every`, this line of code at most once in so many seconds."""
    def log_info(self, message: str, every: float | None = None) -> None:
        """Log at level info; with `every`, this line of code at most once in so many seconds."""
    def log_warning(self, message: str, every: float | None = None) -> None:
        """Log at level warning; with `every`, this line of code at most once in so many seconds."""
    def log_error(self, message: str, every: float | None = None) -> None:
        """Log at level error; with `every`, this line of code at most once in so many seconds."""
    def _horus_bind_log(self, levels: dict[int, bool] | None, write: Callable[..., None], /) -> None: ...
    def _horus_bind_send(self, key: object, topic: TopicBase, /) -> None: ...
    def _horus_bind_receive(self, key: object, topic: TopicBase, depth: int, /) -> None: ...
    def _horus_unbind(self) -> None: ...
    def _horus_run(self, callback: Callable[..., Any], /, *args: object) -> None: ...
    def _horus_attach(self, flight: Flight, name: str, /) -> int: ...  # its row's index, -1: all are taken
    def _horus_detach(self, free: bool, /) -> None: ...  # `free`: the row is for the next node
    def _horus_quantile(self, share: float, /) -> float: ...  # ns below which that share of the ticks lies
    def _horus_forgive(self) -> None: ...
    @property
    def _horus_in_callback(self) -> int: ...
    # The node's figures, in its row of the flight or at home. Those that are set tell other processes.
    @property
    def _horus_row(self) -> int: ...
    @property
    def _horus_ticks(self) -> int: ...
    @property
    def _horus_failed(self) -> int: ...
    @property
    def _horus_failed_in_row(self) -> int: ...
    @property
    def _horus_missed(self) -> int: ...
    @property
    def _horus_missed_in_row(self) -> int: ...
    @property
    def _horus_skipped(self) -> int: ...
    @property
    def _horus_overruns(self) -> int: ...
    @property
    def _horus_hung(self) -> int: ...
    @property
    def _horus_tid(self) -> int: ...
    @property
    def _horus_started_ns(self) -> int: ...
    @property
    def _horus_total_ns(self) -> int: ...
    @property
    def _horus_min_ns(self) -> int: ...
    @property
    def _horus_max_ns(self) -> int: ...
    @property
    def _horus_last_ns(self) -> int: ...
    _horus_state: int
    _horus_class: str
    _horus_order: int
    _horus_restarts: int
    _horus_flags: int
    _horus_ladder: int
    _horus_safe_state_ns: int
    _horus_safe_ticks: int
    _horus_period_ns: int
    _horus_budget_ns: int
    _horus_deadline_ns: int
    _horus_watchdog_ns: int

def flight_size(rows: int = 0, ticks: int = 0, events: int = 0) -> int: ...

@final
class Flight:
    """A scheduler's record, open for writing: live rows of its nodes, ticks and events.

    `fd` is a zeroed file of `flight_size()` bytes, which may be closed afterwards; -1: private memory.
    """

    def __new__(
        cls, fd: int = -1, name: str = "", ident: int = 0, rows: int = 0, ticks: int = 0, events: int = 0
    ) -> Self: ...
    def event(self, kind: str, text: str | bytes = "", row: int = -1, detail: int = 0) -> None:
        """Record something that happened, at most 14,848 bytes of text.

        kind: start, stop, state, failure, miss, ladder, recovery, hung, returned, estop, log or note.
        """
    def end(self) -> None:
        """Say that the run is over, and give back memory that was never written."""
    @property
    def size(self) -> int: ...
    @property
    def ended(self) -> bool: ...

@final
class FlightReader:
    """Reads the record of a living or dead scheduler; raises RegionError for what is none, trusts nothing."""

    def __new__(cls, source: str | PathLike[str] | int) -> Self: ...
    def header(self) -> dict[str, Any]:
        """name, version, ident, pid, boot_id, created_ns, created_realtime_ns, ended_ns (0: runs, or was killed).

        Of rows, ticks and events also how many there is room for and were written.
        """
    def rows(self) -> list[dict[str, Any]]:
        """The nodes: row, name, class, state, order, flags (critical, gone, held, in_safe_state ...), counts, ns."""
    def ticks(self, since: int = 0, /) -> list[tuple[int, int, str, int, int, int, int]]:
        """(seq, row, kind, start_ns, duration_ns, lateness_ns, tid) with seq > since, oldest first.

        kind is ok, failed, missed or "failed missed".
        """
    def events(self, since: int = 0, /) -> list[dict[str, Any]]:
        """seq, time_ns, node (its row, -1: none), kind, detail, text, whole, and `state` of kind state."""

@final
class Watchdog:
    """A native thread, without the GIL, that sees ticks which do not end.

    A tick that runs for longer than its row's `watchdog_ns` (10 times that for the first) makes the row `hung`, with
    an event; its state comes back when the tick ends.
    """

    def __new__(cls, flight: Flight) -> Self: ...
    def stop(self) -> None: ...
    def look(self) -> None: ...  # now: a row's watchdog_ns was changed
    def arm(self, row: int, ring: Ring, data: Buffer, /) -> None:
        """Publish these wire bytes on the ring when that row hangs and is critical (_horus_flags & 1).

        b"" takes them away. Raises HorusError when they do not fit.
        """
    @property
    def running(self) -> bool: ...

LANE_DONE: int
LANE_TIME_UP: int
LANE_RUNG: int
LANE_MISSED: int
LANE_RECOVERED: int
LANE_RETURNED: int

class Run:
    """One node being run: its releases, and the account of its ticks.

    Everything here is for the thread that ticks it, or for anybody who holds the GIL (then `lane.nudge()`).
    """

    base_ns: int
    """The first release; release k is at base + k * period, rounded once."""
    index: int
    """The number of the next release."""
    next_ns: int
    """The next release; 2**63 - 1: none, until plan() or rest_until()."""
    release_ns: int
    """The oldest that the tick which runs, or ran last, is for."""
    started_ns: int
    previous_ns: int
    rate: float
    deadline_ns: int
    """A tick that ends later than its release + this has missed; 0: none. The first has 10 times as long."""
    good_in_row: int
    """Ticks in a row that neither failed nor missed."""
    recover_after: int
    degraded: int
    """While set, LANE_RECOVERED is told after every `recover_after` good ticks in a row."""
    on_demand: int
    """While set, no release follows from the one before: somebody sets `next_ns` for each."""
    def __new__(cls, node: NodeBase, call: Callable[[], Any], rate: float, /) -> Self: ...
    def plan(self, base_ns: int, /) -> None:
        """Set the first release, and forget the ticks before it."""
    def rest_until(self, wake_ns: int, /) -> None:
        """Be released no more before that time; then on the old grid."""
    def set_rate(self, rate: float, now_ns: int, /) -> None:
        """Another rate, on a grid of the same base, from now on."""
    def skip(self, now_ns: int, /) -> None:
        """Leave out the next tick, and with it the releases that went by; they count as skipped."""
    def divert(self, to: Callable[[], Any] | None, /) -> None:
        """Let releases call something else, which is no tick and counts nowhere; None: the tick again."""
    # A Lane does the rest. For classes that do not use one:
    def begin(self, now_ns: int, /) -> None:
        """Begin a tick for all releases that are due; all but one count as skipped."""
    def tick(self) -> int:
        """After begin(): tick on this thread and count it; LANE_DONE, _MISSED, _RECOVERED or _RETURNED."""
    def count(self, start_ns: int, end_ns: int, failed: bool, tid: int, /) -> int:
        """After begin(): count a tick that ran elsewhere, by the machine's clock; a reason as tick()."""
    def began(self) -> int:
        """After begin(): a tick runs from now on, which the caller calls; when it began, by the machine's clock."""
    def ended(self, start_ns: int, failed: bool, /) -> int:
        """It has ended: count it, by the machine's clock; a reason as tick()."""
    @property
    def diverted(self) -> Callable[[], Any] | None:
        """What releases call instead of the tick."""

@final
class Lane:
    """The nodes that one thread ticks: in order, each at its rate.

    `clock` is called for the time at the end of each tick when it is not the machine's.
    """

    spin_ns: int
    """How long before a release the thread wakes up and looks at the clock, without the GIL."""
    def __new__(cls, clock: Callable[[], int] | None = None) -> Self: ...
    def add(self, run: Run, /) -> None:
        """From the next pass on it ticks, by its node's order, then as added. From any thread."""
    def remove(self, run: Run, /) -> None:
        """It ticks no more. From any thread; a tick under way ends."""
    def run(self, alarm: Alarm, until_ns: int, /) -> int:
        """Tick by the machine's clock until the alarm rings, the time is up or a tick wants attention.

        Returns LANE_RUNG, LANE_TIME_UP, or LANE_MISSED, LANE_RECOVERED or LANE_RETURNED (the watchdog had marked
        the tick that ended; it may have missed, too) with the Run as `subject`; the next call
        goes on in the middle of the pass. Raises what a tick raised, its Run as `subject`; an exception of a
        signal's handler has none.
        """
    def run_due(self, now_ns: int, /) -> int:
        """Tick what is due, or go on with that: LANE_DONE at its end, else as run()."""
    def nudge(self) -> None:
        """Look anew at the releases now: one of them was changed. From any thread."""
    def drop_pass(self) -> None:
        """Forget what is left of a pass that an exception ended."""
    @property
    def runs(self) -> tuple[Any, ...]: ...
    @property
    def current(self) -> Any:
        """The Run that ticks now, or None."""
    @property
    def subject(self) -> Any:
        """The Run that run() ended for, or None."""
    @property
    def next_ns(self) -> int: ...

def wait_any(topics: tuple[TopicBase, ...], alarm: Alarm, until_ns: int, /) -> bool:
    """Sleep, without the GIL, until a topic is ready: True; or to the time, a nudge or a ring: False.

    Ready is a topic with a message, unless it has the same next and the same newest message as when this last
    returned True: what nobody reads wakes once.
    """

def waits_on_many() -> bool:
    """Whether the kernel lets wait_any() sleep (Linux 5.16); else it looks once a millisecond."""

def set_timer_slack(nanoseconds: int, /) -> int: ...

class Alarm:
    """Sleep to an absolute time of CLOCK_MONOTONIC, woken early by ring() or a watched signal."""

    def ring(self) -> None: ...
    def reset(self) -> None: ...
    def nudge(self) -> None:
        """End the sleep of whoever sleeps now, without ringing. From any thread."""
    def wait_until(self, deadline_ns: int, /) -> bool: ...
    def watch_signals(self, /, *signals: int) -> None: ...
    def unwatch_signals(self) -> None: ...
    @property
    def rung(self) -> bool: ...
    @property
    def signals(self) -> int: ...

DTYPES: tuple[str, ...]
ENCODINGS: tuple[tuple[str, int, int], ...]

class Pool:
    """Blocks of shared memory for large payloads: one for each membership."""

    def __new__(cls, member: Member, budget_bytes: int = 0) -> Pool: ...
    def usage(self) -> dict[str, int]: ...
    def refusal(self) -> str: ...
    def unmap_dead(self) -> None: ...
    @property
    def member(self) -> Member: ...

class PooledBase:
    """What Image, DepthImage, PointCloud and Tensor inherit: the payload and its description."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Self: ...
    def _allocate(self, shape: tuple[int, ...], dtype: int, encoding: int, strict: bool, /) -> None: ...
    def _fill(self, source: Any, /) -> None: ...
    def _crop(self, y: int, x: int, height: int, width: int, /) -> Self: ...
    def copy(self) -> Self: ...
    def to_numpy(self) -> NDArray[Any]: ...
    def tobytes(self) -> bytes: ...
    def __dlpack__(
        self,
        *,
        stream: Any = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
        _unflagged: bool = False,
    ) -> Any: ...
    def __dlpack_device__(self) -> tuple[int, int]: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def strides(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> str: ...
    @property
    def nbytes(self) -> int: ...
    @property
    def step(self) -> int: ...
    @property
    def readonly(self) -> bool: ...
    @property
    def in_pool(self) -> bool: ...
    @property
    def _encoding(self) -> str: ...
    timestamp_ns: int
    frame_id: str

@final
class FieldDescriptor:
    """A value inside a message, at a fixed offset, as an attribute of the message's class."""

    name: str
    kind: str
    shape: str
    unit: str
    doc: str
    type: Any
    offset: int
    size: int
    capacity: int
    count_offset: int
    kw_only: bool
    required: bool
    alias: bool
    def __new__(
        cls,
        name: str,
        kind: str,
        offset: int,
        *,
        shape: str = "one",
        count: int = 1,
        count_offset: int = 0,
        size: int = 0,
        type: Any = None,
        members: dict[int, Any] | None = None,
        unit: str = "",
        doc: str = "",
        kw_only: bool = False,
        required: bool = False,
        alias: bool = False,
    ) -> Self: ...
    def __get__(self, instance: object, owner: type | None = None, /) -> Any: ...
    def __set__(self, instance: object, value: Any, /) -> None: ...

@final
class MessageMeta(type):
    """The type of message classes."""

    __layout__: dict[str, Any]
    @property
    def __size__(self) -> int: ...
    @property
    def __wire_max__(self) -> int: ...
    @property
    def __type_hash__(self) -> bytes | None: ...
    @property
    def __descriptors__(self) -> tuple[FieldDescriptor, ...]: ...

class MessageBase:
    """What typed messages are made of; inherit from horus.Message instead."""

    __hash__: ClassVar[None]  # type: ignore[assignment]
    def to_dict(self) -> dict[str, Any]: ...
    def to_wire(self) -> bytes: ...
    @classmethod
    def from_wire(cls, wire: Buffer, /) -> Self: ...
    def copy(self) -> Self: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, memo: Any, /) -> Self: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...

def define_message(
    cls: MessageMeta, fields: tuple[FieldDescriptor, ...], size: int, hash: bytes, defaults: dict[str, Any], /
) -> None:
    """Give a new message class its fields and its plan."""
