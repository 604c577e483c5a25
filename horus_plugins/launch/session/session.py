"""A session: it starts what the plan says, watches it, restarts it, and stops it. One thread, one loop."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, final

from horus_core.errors import LaunchError
from horus_core.shm import process
from horus_plugins.launch import system
from horus_plugins.launch.environment import environment
from horus_plugins.launch.escaped import end_escaped
from horus_plugins.launch.guard import Guard
from horus_plugins.launch.observing.observers import Observers
from horus_plugins.launch.pump import Pump
from horus_plugins.launch.session import discovery, ends, events, orders, reloading, starting
from horus_plugins.launch.session.books import Books
from horus_plugins.launch.session.control import Control
from horus_plugins.launch.session.ending import Ending
from horus_plugins.launch.session.estop import Watch
from horus_plugins.launch.session.leftovers import Leftovers
from horus_plugins.launch.session.lines import Lines
from horus_plugins.launch.session.report import Report
from horus_plugins.launch.session.service import Service
from horus_plugins.launch.session.unit import FINAL, Unit
from horus_plugins.launch.session.warming import Warming
from horus_plugins.launch.signals import STOP, SignalPipe

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from horus_plugins.launch.child import Child
    from horus_plugins.launch.file.plan import Plan, PlannedNode
    from horus_plugins.launch.manifest import SessionStatus
    from horus_plugins.launch.session.settings import Settings

RUN_ID = "HORUS_RUN_ID"
_TURN_MS, _BUSY_TURN_MS = 50, 20
_LOOK_S, _BUSY_LOOK_S = 2.0, 0.05
_KEEP_S = 1.0
_FORKS_A_TURN = 4
"""Each takes some milliseconds, during which nothing else is heard."""
_FAILED = 1


@final
class Session:
    """Runs a plan until all of its processes have ended or somebody stops it. `run` once."""

    def __init__(self, plan: Plan, settings: Settings) -> None:
        self.plan = plan
        self.stopping = ""
        """Why the session is being stopped; "": it is not."""
        self.by_emergency = False
        self.units: dict[str, Unit] = {}
        self._settings = settings
        self._stop_requests = 0
        self._all_ready = False
        self._look_at = self._keep_at = self._due_at = 0.0
        self._hurry = True
        self.books = Books(plan, settings)
        self._pump = Pump()
        self._memory = ends.OutOfMemory()
        self._service = Service()
        self._is_late = False
        self.report = Report(self._pump, self.books.said, colour=settings.colour)
        self._observers = Observers(plan.session, self._pump, self.report.step)

    def run(self) -> int:
        """Start the processes and stay until all have ended; the worst exit code.

        Raises LaunchError when the session cannot start at all.
        """
        strangers = system.children()  # a script may have started some, and become us
        system.adopt_orphans()
        self.guard = guard = Guard(self._mark)
        with SignalPipe() as signals:
            try:
                self._open()
            except BaseException:
                self.books.abandon()
                self._pump.finish()
                guard.dismiss()
                raise
            self._pump.watch(signals.fd)
            self._pump.watch(guard.fd)
            if self._settings.hold_fd is not None:
                self._pump.watch(self._settings.hold_fd)
            try:
                while not self._over:
                    self._turn(signals)
                self._warming.end()
                self._observers.finish(lambda: self._turn(signals))
                end_escaped(
                    self._mark,
                    lambda: self._turn(signals),
                    self.report.step,
                    lambda: self._stop_requests,
                    lambda: strangers | {guard.pid},
                )
                guard.release()
                self._close()
            finally:
                self._pump.finish()
        # Not in a `finally`: after an error above the guard finds us dead, and stops what is left.
        guard.dismiss()
        return self.exit_code

    @property
    def exit_code(self) -> int:
        """The worst of all; an emergency stop is no success either, and no service that was never ready."""
        codes = [unit.exit_code for unit in self.units.values()]
        return max([*codes, _FAILED if self.by_emergency or self._is_late else 0])

    # What others ask for

    def stop(self, why: str) -> None:
        """Stop all processes; being asked again changes nothing."""
        if self.stopping:
            return
        self._look_at = 0.0
        self._discover()  # who has come to its scheduler since the last look is to end gracefully, too
        self.stopping = why
        self.report.begin_phase()
        self.report.say("")
        self.report.step(f"stopping ({why})")
        self.books.events.note(events.SESSION_STOPPING, reason=why)
        self._service.stopping(f"stopping ({why})")
        self._warming.stop()
        for unit in self.units.values():
            unit.cancel()
        self._end(unit for unit in self.units.values() if unit.child is not None)

    def stop_unit(self, unit: Unit, *, again: bool = False) -> None:
        """Stop one process; it is not restarted but with `again`, and then at once when it is gone.

        One that was never started has nothing to restart: with `again` it waits anew for what it depends on.
        """
        if again and unit.child is None and not unit.row.started_ns:
            unit.wait()
            return
        unit.cancel()
        unit.held, unit.again = not again, again
        self._end([unit])
        if again and unit.living is None:
            unit.restarts.reset()
            unit.back_off(0.0)

    def new_unit(self, node: PlannedNode, restarts: int = 0) -> Unit:
        """A node as the plan has it, not started yet."""
        unit = Unit(node, self.books.output_of(node.name))
        unit.row.restarts = restarts
        return unit

    def note_reload(self, done: Mapping[str, list[str]]) -> None:
        """Its plan is another now, and this is what differs: it has yet to be ready."""
        self._all_ready = False
        self.books.events.note(events.SESSION_RELOAD, **done)

    # The loop

    def _turn(self, signals: SignalPipe) -> None:
        """Wait a moment for something to happen, and deal with it. Mostly nothing does, and that costs little."""
        left_ms = 1000 * (self._due_at - time.monotonic())
        ready = self._pump.turn(min(_BUSY_TURN_MS if self._hurry else _TURN_MS, max(0.0, left_ms)))
        self.books.flush()
        heard = self._hear()
        if not (ready or heard or self._hurry or time.monotonic() >= self._due_at):
            return
        for number in signals.received():
            self._on_signal(number)
        self._warming.turn(ready)
        if self.guard.fd in ready:
            self._renew_guard()
        if self._settings.hold_fd in ready:
            self._pump.unwatch(self._settings.hold_fd)
            self.stop("who started it has gone")
        for child in self._pump.reap():
            if not self._observers.has_ended(child):
                self._on_end(child)
        self._observers.turn()
        self._release()
        self._discover()
        self._start()
        for unit in self.units.values():
            if unit.ending is not None:
                unit.ending.turn()
        self._keep()
        self._plan_next()

    def _hear(self) -> bool:
        """Obey an emergency stop, and answer what was asked; whether there was anything."""
        order = self._estop.heard()
        if order is not None and not self.by_emergency:
            self.by_emergency = True
            said = f"emergency stop by {order.source or 'somebody'}: {order.reason or 'no reason given'}"
            self.books.events.note(events.EMERGENCY_STOP, source=order.source, reason=order.reason)
            self.stop(said)
        answered = self.lines.turn()
        return self._control.turn() or answered or order is not None

    def _plan_next(self) -> None:
        """When to look again at what no event announces."""
        units = self.units.values()
        self._hurry = bool(
            self.stopping
            or self._leftovers.waits
            or any(unit.child is not None and (unit.ending or not unit.child.running) for unit in units)
            or any(unit.status == "starting" or unit.row.waiting_for == starting.A_TURN for unit in units)
        )
        times = [at for unit in units for at in (unit.retry_at, unit.begin_at) if at is not None]
        self._due_at = min([time.monotonic() + self._service.rest_s(_KEEP_S), *times])

    def _on_signal(self, number: signal.Signals) -> None:
        if number == signal.SIGTSTP:
            self._suspend()
        if number not in STOP:
            return
        self._stop_requests += 1
        why = "Ctrl+C" if number == signal.SIGINT else number.name
        if not self.stopping:
            self.stop(why)
            return
        left = [unit for unit in self.units.values() if unit.ending is not None]
        names = ", ".join(f"[{unit.name}]" for unit in left) or "what left its group"
        insist = self._stop_requests == 2  # noqa: PLR2004 - the second
        self.report.step(f"asked again ({why}): {'SIGTERM, once more,' if insist else 'SIGKILL'} to {names}")
        for unit in left:
            if unit.ending is not None:
                unit.ending.insist() if insist else unit.ending.kill()

    def _suspend(self) -> None:
        """Ctrl+Z: everybody stands still until the job is continued."""
        children = [unit.child for unit in self.units.values() if unit.child is not None]
        for child in children:
            child.pause()
        os.kill(os.getpid(), signal.SIGSTOP)
        for child in children:
            child.resume()

    def _renew_guard(self) -> None:
        self._pump.unwatch(self.guard.fd)
        self.guard.renew()
        self._pump.watch(self.guard.fd)
        self.report.step(f"the guard process was killed; another has taken its place (pid {self.guard.pid})")

    # Starting

    def _start(self) -> None:
        """Start some of the processes that may start; the next turn starts the next."""
        if self.stopping or not self._leftovers.gone():
            return
        free = starting.AT_ONCE - starting.busy(self.units)
        forks = _FORKS_A_TURN
        for unit in list(self.units.values()):
            is_restart = unit.is_due_again
            if not is_restart and not (unit.status == "waiting" and self._may_start(unit)):
                continue
            if forks and (is_restart or (free > 0 and not self._warming.is_worth_waiting(unit))):
                forks -= 1
                free -= not is_restart
                self._spawn(unit, restart=is_restart)
            elif not is_restart:
                unit.row.waiting_for = starting.A_TURN
        self._tell_readiness()

    def _may_start(self, unit: Unit) -> bool:
        try:
            unit.row.waiting_for = starting.waits_for(unit, self.units)
        except starting.NeverReady as error:
            self._fail(unit, f"it waits for {error}")
            return False
        if unit.row.waiting_for:
            return False
        if not starting.is_due(unit):
            unit.row.waiting_for = f"its start delay of {unit.plan.start_delay_s:g} s"
            return False
        return True

    def _spawn(self, unit: Unit, *, restart: bool = False) -> None:
        out, err = self.report.outlets(unit)
        try:
            child = unit.spawn(self.plan.namespace, self._marks, out, err, self._warming.start)
        except LaunchError as error:
            self._fail(unit, str(error), restart=restart)
            return
        self.guard.watch(child.pid)
        self._pump.add(child)
        unit.row.restarts += restart
        moment = time.strftime("%Y-%m-%dT%H:%M:%S%z")
        unit.log.put(f"=== {moment} run {unit.row.restarts + 1}, pid {child.pid}\n".encode())
        self.books.events.note(
            events.NODE_RESTARTED if restart else events.NODE_SPAWNED,
            node=unit.name,
            pid=child.pid,
            restarts=unit.row.restarts,
            command=list(unit.plan.command),
        )
        self._observers.spawned(unit.name, child.pid, unit.plan.command, unit.row.restarts)
        self.report.step(f"{'restarted' if restart else 'started'} [{unit.name}] (pid {child.pid})")

    def _fail(self, unit: Unit, why: str, *, restart: bool = False) -> None:
        """It cannot be started; a restart that cannot be made is tried again as its policy says."""
        wait_s = unit.restarts.after(failed=True, lived_s=0.0, now_s=time.monotonic()) if restart else None
        self.books.events.note(events.NODE_FAILED, node=unit.name, reason=why)
        self.report.step(f"[{unit.name}] was not started: {why}")
        if wait_s is not None:
            unit.back_off(wait_s, why)
            return
        unit.fail(why)
        self._on_over(unit)

    def _tell_readiness(self) -> None:
        if self._all_ready or any(unit.status in ("waiting", "starting") for unit in self.units.values()):
            self.report.progress(self.units.values())
            return
        self._all_ready = True
        running = sum(unit.ready for unit in self.units.values())
        self.books.events.note(events.SESSION_READY, nodes=running)
        self._service.tell(f"{running} of {len(self.units)} nodes run")
        if running:
            who = (
                "all nodes are" if running == len(self.units) else f"{running} of {len(self.units)} nodes are"
            )
            self.report.step(f"{who} ready.", " Press Ctrl+C to stop.")

    # Watching

    def _discover(self) -> None:
        """Look at the schedulers' records, often while something starts."""
        now = time.monotonic()
        living = {unit.row.pid: unit for unit in self.units.values() if unit.living is not None}
        starts = any(not unit.ready for unit in living.values())
        if not living or now < self._look_at:
            return
        self._look_at = now + (_BUSY_LOOK_S if starts and not self.stopping else _LOOK_S)
        found = discovery.look(self.plan.namespace, self._member, living)
        for pid, unit in living.items():
            here = found.get(pid, [])
            unit.row.schedulers = [scheduler.row for scheduler in here]
            if not unit.ready and unit.status == "starting" and starting.is_ready(unit, here):
                self._on_ready(unit)

    def _on_ready(self, unit: Unit) -> None:
        unit.ready, unit.row.status = True, "running"
        for scheduler in unit.row.schedulers:
            self.lines.prepare(scheduler.control_topic)
        names = [scheduler.name for scheduler in unit.row.schedulers]
        self.books.events.note(events.NODE_READY, node=unit.name, pid=unit.row.pid, schedulers=names)

    def _on_end(self, child: Child) -> None:
        unit = next(unit for unit in self.units.values() if unit.child is child)
        for scheduler in unit.row.schedulers:
            self.lines.close(scheduler.control_topic)
        end = ends.exit_of(child, self._memory)
        unit.ended(end, child.exit_code)
        self.books.note_end(unit.row, end, child.age_s)
        self._observers.exited(unit.name, end, unit.row.restarts)
        tail = self._decide(unit, child)
        self.report.step(f"[{unit.name}] {end.text} after {child.age_s:.1f} s{tail}")
        if unit.ending is None and not child.gone:
            self.report.step(f"[{unit.name}] left processes behind: SIGTERM to them")
            unit.ending = Ending(child, self.plan.stop, asked=False, say=self.report.step)
        if unit.status in FINAL:
            self._on_over(unit)

    def _decide(self, unit: Unit, child: Child) -> str:
        """What becomes of a node whose process has ended, told in words."""
        end = unit.row.last_exit
        failed = end is not None and ends.failed(end)
        if self.stopping or unit.held:
            unit.settle()
            return ""
        if unit.again:
            unit.back_off(0.0)
            return ""
        wait_s = unit.restarts.after(failed=failed, lived_s=child.age_s, now_s=time.monotonic())
        if wait_s is not None:
            unit.back_off(wait_s)
            self._warming.restarting(unit)
            return f"; restart {unit.row.restarts + 1} in {wait_s:g} s"
        unit.settle()
        if unit.restarts.wants(failed=failed):
            return f"; not restarted any more: it had {unit.restarts}"
        return ""

    def _on_over(self, unit: Unit) -> None:
        if unit.plan.on_exit == "shutdown" and not unit.held:
            self.stop(f"the end of [{unit.name}]")

    # Stopping

    def _end(self, units: Iterable[Unit]) -> None:
        """Begin to stop these: schedulers are asked first, who has none gets SIGTERM at once."""
        for unit in units:
            if unit.child is None or unit.ending is not None:
                continue
            asked = [
                self.lines.order(one.control_topic, "GracefulShutdown", cleaned=bool(self.stopping))
                for one in unit.row.schedulers
            ]
            if unit.living is not None:
                unit.row.status = "stopping"
                how = "GracefulShutdown" if any(asked) else "SIGTERM"
                self.books.events.note(events.NODE_STOPPING, node=unit.name, pid=unit.row.pid, by=how)
                self.report.step(f"[{unit.name}] is stopped by {how}")
            unit.ending = Ending(unit.child, self.plan.stop, asked=any(asked), say=self.report.step)

    def _release(self) -> None:
        """Let go of processes of which nothing is left."""
        for unit in self.units.values():
            child = unit.child
            if child is not None and not child.running and child.gone:
                self._pump.drop(child)
                self.guard.forget(child.pid)
                unit.child = unit.ending = None
        reloading.replace(self)

    @property
    def _over(self) -> bool:
        return all(unit.over for unit in self.units.values())

    # Keeping the books

    def _open(self) -> None:
        self._member = process.member(self.plan.namespace)
        self._estop = Watch()
        self._estop.require_none(self.plan.session)
        for node in self.plan.nodes:
            self.units[node.name] = self.new_unit(node)
        self._leftovers = Leftovers(self.books.open(self.plan), RUN_ID, self.report.step)
        self.lines = Lines(self.plan.namespace)
        self._marks = {RUN_ID: self.books.run_id}
        self._warming = Warming(self.plan.namespace, self._marks, self._pump, self.report.step)
        self._warming.begin(self.units.values())
        self._observers.begin({**environment(self.plan.namespace), **self._marks})
        self._control = Control(self.plan.namespace, self.plan.session, orders.commands(self))
        self.books.events.note(
            events.SESSION_START,
            namespace=self.plan.namespace,
            file=self.plan.file,
            pid=os.getpid(),
            nodes=list(self.units),
        )

    def _close(self) -> None:
        self.report.table(self.units.values())
        self.report.say("")
        self.report.step(
            f"session {self.plan.session!r} is over" + (f": {self.stopping}" if self.stopping else "")
        )
        reason = self.stopping or "all nodes have ended"
        self.books.events.note(events.SESSION_STOP, reason=reason, exit_code=self.exit_code)
        self._control.close()
        self.lines.close_all()
        self._estop.close()
        self.books.close()

    def _keep(self) -> None:
        """Write what has changed; once a second see that shared memory is still ours."""
        now = time.monotonic()
        late = self._service.alive(self.units.values())
        if late and not self.stopping:
            self._is_late = True
            self.stop(late)
        if now >= self._keep_at:
            self._keep_at = now + _KEEP_S
            self._member = self.books.keep()
            self._memory.look()
        self._pump.push()  # who reads in the manifest that a node has ended finds its last words
        status: SessionStatus = "stopping" if self.stopping else "running" if self._all_ready else "starting"
        self.books.publish(status, (unit.row for unit in self.units.values()))

    @property
    def _mark(self) -> bytes:
        return f"{RUN_ID}={self.books.run_id}".encode()
