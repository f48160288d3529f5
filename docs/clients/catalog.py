"""Reports runs, stages and check results of a job to a Catalog. Copy this file next to the job; it needs only Python.

    import catalog

    with catalog.run("daily_orders") as run:
        with run.stage("load") as stage:
            stage.records_processed = load()
        run.check("rows", status="pass", observed_value=4120)

Settings (environment): CATALOG_URL, the address of the service (without it nothing is reported); CATALOG_API_KEY, an API
key or an OpenID token; CATALOG_SPOOL, the file for what could not be sent (default ~/.catalog/spool.jsonl).

The job comes first. No function raises, except with strict=True. A process waits at most 0.1 s for each call, plus 10 s
and 2 % of its duration in all, plus the time of its own disk. What is not acknowledged is in the spool file, and the next
call sends it first; `python3 catalog.py flush` sends it too. What the service refuses for good is in SPOOL.rejected with
the reason; `python3 catalog.py resend` sends it again after the cause is corrected. Runs on Linux and macOS.
"""
from __future__ import annotations

import contextlib
import datetime
import fcntl
import functools
import json
import logging
import math
import numbers
import os
import random
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from decimal import Decimal
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

TIMEOUT = 2.0             # seconds for one request
TRIES = 3                 # requests for one event, while the service is not known to be down
MAX_RETRY_AFTER = 2.0     # seconds; a longer Retry-After ends the tries
PAUSE = 10.0              # seconds without requests after a failure of the service
CALL_LIMIT = 8.0          # seconds for one call
FREE = 0.1                # seconds of each call that do not count
BUDGET, SHARE = 10.0, 0.02  # seconds that a process may wait in all, plus this share of its duration
LOCK_LIMIT = 1.0          # seconds to wait for another process that writes the spool
MAX_FILE = 16 * 1024 * 1024  # bytes of the spool, and of the file of rejected events
FLUSH_TIMEOUT = 30.0      # seconds for one request of flush, when no job waits
BULK = 100                # results in one request

Event = Dict[str, Any]    # id, path, body: one line of the spool
log = logging.getLogger("catalog")


class CatalogError(Exception):
    """An event was not acknowledged. Raised only with strict=True; the event is in the spool or in SPOOL.rejected."""


class _Rejected(Exception):
    """The service refuses this event; sending it again would not help."""


class _Unavailable(Exception):
    """The service did not take the event now."""

    def __init__(self, reason: str, retry_after: Optional[float] = None, fault: bool = False) -> None:
        super().__init__(reason)
        self.retry_after, self.fault = retry_after, fault


# --- what a job calls -------------------------------------------------------------------------------------------------

class Stage:
    """A stage of a run. Set records_processed before it ends."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.records_processed: Optional[int] = None


class Run:
    """A run; use it with `with`. If the job raises, the run is failed with the message, and the exception goes on."""

    def __init__(self, pipeline: str, run_id: Optional[str] = None, strict: bool = False, **fields: Any) -> None:
        self.pipeline, self.id, self.strict = pipeline, run_id or str(uuid.uuid4()), strict
        self.records_processed: Optional[int] = None
        self._fields, self._started, self._process = fields, now(), os.getpid()

    def __enter__(self) -> Run:
        self._started = now()
        try:
            self._report("running", **self._fields)
        except BaseException as error:  # Ctrl+C, or strict: the job does not start.
            self.__exit__(type(error), error, None)
            raise
        return self

    def __exit__(self, kind: Any, error: Optional[BaseException], trace: Any) -> None:
        if os.getpid() != self._process:
            return  # A forked child leaves the block too; the run is its parent's.
        status, message = _outcome(error)
        self._report(status, error=error, final=True, completed_at=now(), error_message=message,
                     records_processed=self.records_processed)

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[Stage]:
        """A stage of the run, failed if its block raises."""
        stage, started = Stage(name), now()
        self._report("running", stages=[{"stage_name": name, "status": "running", "started_at": started}])
        error: Optional[BaseException] = None
        try:
            yield stage
        except BaseException as raised:
            error = raised
            raise
        finally:
            status, message = _outcome(error)
            self._report("running", error=error, stages=[_known({
                "stage_name": name, "status": status, "started_at": started, "completed_at": now(),
                "error_message": message, "records_processed": stage.records_processed})])

    def check(self, check_id: str, status: str, **fields: Any) -> None:
        """A check result: pass, warn, fail or error. Fields: severity, dataset, observed_value, expected, message, …"""
        self.checks([{"check_id": check_id, "status": status, **fields}])

    def checks(self, results: Sequence[Dict[str, Any]]) -> None:
        """Several check results in one request; each has check_id and status."""
        checks(self.pipeline, results, run_id=self.id, strict=self.strict)

    def _report(self, status: str, error: Optional[BaseException] = None, final: bool = False, **fields: Any) -> None:
        body = {"id": self.id, "pipeline_id": self.pipeline, "status": status, "started_at": self._started, **fields}
        # The job's own exception must not be replaced by ours.
        _sender.deliver("/runs/", body, final=final, strict=self.strict and error is None)


def run(pipeline: str, run_id: Optional[str] = None, *, strict: bool = False, **fields: Any) -> Run:
    """A run of a registered pipeline. Fields: trigger, external_url, metadata. A run_id of its own makes it known."""
    return Run(pipeline, run_id, strict, **fields)


def event(pipeline: str, run_id: str, status: str, *, strict: bool = False, **fields: Any) -> None:
    """One event of a run, for hooks: pending, running, completed, failed, cancelled or skipped."""
    when = "started_at" if status in ("pending", "running") else "completed_at"
    body = {"id": run_id, "pipeline_id": pipeline, "status": status, when: now(), **fields}
    _sender.deliver("/runs/", body, final=when == "completed_at", strict=strict)


def checks(pipeline: str, results: Sequence[Dict[str, Any]], *, run_id: Optional[str] = None, strict: bool = False) -> None:
    """Check results, with or without a run."""
    common = {"pipeline_id": pipeline, "run_id": run_id, "executed_at": now()}
    posts = [_known({"id": str(uuid.uuid4()), **common, **result}) for result in results]
    for start in range(0, len(posts), BULK):
        _sender.deliver("/checks/results", {"results": posts[start:start + BULK]}, strict=strict)


def register(pipeline: Dict[str, Any], *, strict: bool = False) -> None:
    """Registers a pipeline (name, owner, schedule, checks, lineage, …). Again with the same content changes nothing."""
    _sender.deliver("/pipelines/", pipeline, strict=strict)


def flush(seconds: float = 60.0) -> int:
    """Sends the spool, for at most this long. Returns the number of events that remain."""
    end = time.monotonic() + seconds
    while (left := len(_pending(_spool()))) and time.monotonic() < end:
        if not _sender.replay(end):
            time.sleep(max(0.0, min(1.0, end - time.monotonic())))
    return left


def resend(seconds: float = 60.0) -> int:
    """Puts the rejected events back into the spool and sends it. Returns the number of events that remain."""
    spool = _spool()
    with _locked(spool):
        events = [line["event"] for line in _read(spool + ".rejected") if "event" in line]
        _append(spool, events, limit=math.inf)
        _rewrite(spool + ".rejected", [])
    return flush(seconds)


# --- when to send, and what becomes of an event -----------------------------------------------------------------------

class _Sender:
    """Sends events in order, or keeps them in the spool. Its state is that of one process."""

    def __init__(self) -> None:
        self.created, self.waited = time.monotonic(), 0.0
        self.silent_until, self.failing, self.told, self.lost = 0.0, False, False, 0

    def deliver(self, path: str, body: Dict[str, Any], *, final: bool = False, strict: bool = False) -> None:
        """Sends an event, or stores it. final: the last event of a run is tried once even while the service is down."""
        began, problem = time.monotonic(), None
        limit = CALL_LIMIT if strict else min(CALL_LIMIT, BUDGET + SHARE * (began - self.created) - self.waited + FREE)
        try:
            if _setting("CATALOG_URL"):
                item = {"id": str(uuid.uuid4()), "path": path, "body": _clean(_known(body))}
                json.dumps(item)
                may_send = strict or (limit > FREE and (final or began >= self.silent_until))
                problem = self._deliver(item, began + limit, may_send, TRIES if strict or not self.failing else 1)
            else:
                problem = "CATALOG_URL is not set, so nothing is reported."
                if not self.told:
                    log.warning(problem)
                self.told = True
        except Exception as error:  # The job must go on, whatever is wrong here.
            self.lost += 1
            problem = f"An event for {path} is lost ({self.lost} in this process): {_text(error)}"
            log.error(problem)
        finally:
            self.waited += max(0.0, time.monotonic() - began - FREE)
        if strict and problem:
            raise CatalogError(problem)

    def replay(self, end: float) -> bool:
        """Sends the spool until this time. Returns whether all of it was sent."""
        spool, done, problem = _spool(), set(), None
        try:
            problem = self._send_all(spool, _pending(spool), end, TRIES, done, {}, FLUSH_TIMEOUT)
        finally:
            _remove(spool, done)
        return problem is None

    def _deliver(self, item: Event, end: float, may_send: bool, tries: int) -> Optional[str]:
        spool, done, refusals = _spool(), set(), {}
        problem: Optional[str] = "The service did not respond a moment ago."
        try:
            if may_send:
                problem = self._send_all(spool, [*_pending(spool), item], end, tries, done, refusals)
        finally:  # Also after Ctrl+C during a request: then it is not known whether the event arrived.
            _remove(spool, done - {item["id"]})
            if item["id"] not in done:
                with _locked(spool):
                    _append(spool, [item], limit=MAX_FILE)
        return refusals.get(item["id"], problem)

    def _send_all(self, spool: str, items: List[Event], end: float, tries: int, done: set, refusals: dict,
                  timeout: Optional[float] = None) -> Optional[str]:
        for item in items:
            if time.monotonic() >= end:
                return "The time for this call is used up."
            try:
                refused = _send(item, end, tries, timeout or TIMEOUT)
            except _Rejected as refusal:
                refused = [(item, str(refusal))]
            except _Unavailable as failure:
                if not self.failing:
                    log.warning("The Catalog does not take events (%s); they are kept in %s.", failure, spool)
                self.failing, self.silent_until = True, time.monotonic() + PAUSE
                return str(failure)
            if self.failing:
                log.info("The Catalog takes events again.")
            self.failing, tries = False, TRIES
            if refused:
                refusals[item["id"]] = refused[0][1]
                log.error("The Catalog rejected %s; see %s.rejected: %s", item["path"], spool, refused[0][1])
                try:
                    with _locked(spool):
                        _append(spool + ".rejected", [{"reason": reason, "event": part} for part, reason in refused], MAX_FILE)
                except OSError as error:
                    log.error("The rejected event stays in %s: %s", spool, _text(error))
                    continue
            done.add(item["id"])
        return None


# --- one request ------------------------------------------------------------------------------------------------------

def _send(item: Event, end: float, tries: int, timeout: float) -> List[Tuple[Event, str]]:
    """Sends an event, several times if needed. Returns the results of it that were rejected, each as an event."""
    if not item.get("path"):
        raise _Rejected("This line of the spool cannot be read.")
    for attempt in range(1, tries + 1):
        try:
            return _within(min(timeout, end - time.monotonic()), lambda: _post(item, timeout))
        except _Unavailable as failure:
            wait = failure.retry_after
            if wait is None:
                wait = random.uniform(0.25, 0.5) * 2 ** (attempt - 1)
            if attempt < tries and wait <= MAX_RETRY_AFTER and time.monotonic() + wait < end:
                time.sleep(wait)
            elif failure.fault:
                raise _Rejected(str(failure)) from None
            else:
                raise
    raise AssertionError("unreachable")


def _within(seconds: float, work: Callable[[], Any]) -> Any:
    """The timeout of urllib does not cover the look-up of the name or an answer that drips, so a thread does the work."""
    ended: List[Any] = []

    def target() -> None:
        try:
            ended.append((work(), None))
        except BaseException as error:
            ended.append((None, error))

    thread = threading.Thread(target=target, daemon=True, name="catalog")
    thread.start()
    thread.join(max(0.0, seconds))
    if not ended:
        raise _Unavailable(f"no answer within {seconds:.1f} s")
    result, error = ended[0]
    if error:
        raise error
    return result


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected POST becomes a GET: the event would be lost, and the key sent elsewhere."""

    def redirect_request(self, *_: Any) -> None:
        return None


@functools.lru_cache(maxsize=None)
def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(_NoRedirect)


def _post(item: Event, timeout: float) -> List[Tuple[Event, str]]:
    request = urllib.request.Request(
        _address() + item["path"], json.dumps(item["body"]).encode(), {**_authorization(), "Content-Type": "application/json"})
    try:
        answer = _opener().open(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        answer = error
    except Exception as error:
        raise _Unavailable(_text(error)) from None
    try:
        with answer:
            status, kind, text = answer.code, answer.headers.get_content_type(), answer.read(MAX_FILE)
        content = json.loads(text) if kind in ("application/json", "application/problem+json") else {}
    except Exception as error:
        raise _Unavailable(_text(error)) from None
    if 200 <= status < 300 and kind == "application/json":
        return [({**item, "id": str(uuid.uuid4()), "body": {"results": [item["body"]["results"][receipt["index"]]]}},
                 f"{receipt['code']}: {receipt['reason']}")
                for receipt in (content["items"] if status == 207 else []) if receipt["outcome"] == "rejected"]
    is_catalog = kind == "application/problem+json" and isinstance(content, dict)
    reason = f"{status} {content.get('code')}: {content.get('detail')} {json.dumps(content.get('errors', {}))}" \
        f" (trace {content.get('trace_id')})" if is_catalog else f"{status}, which is no answer of the Catalog"
    # Proxies and wrong addresses answer 401, 403 or 404 too; only the Catalog's own refusals are final.
    if status in (400, 413) or (is_catalog and 400 <= status < 500 and status not in (408, 425, 429)):
        raise _Rejected(reason[:4000])
    wait = answer.headers.get("Retry-After", "")
    raise _Unavailable(reason[:4000], float(wait) if wait.isdecimal() else None, fault=is_catalog and status == 500)


# --- the spool: JSON lines, changed only under the lock ----------------------------------------------------------------

@contextlib.contextmanager
def _locked(spool: str) -> Iterator[None]:
    os.makedirs(os.path.dirname(spool), mode=0o700, exist_ok=True)
    handle = os.open(spool + ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        end = time.monotonic() + LOCK_LIMIT
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > end:
                    raise TimeoutError(f"Another process locks {spool}.") from None
                time.sleep(0.01)
        yield
    finally:
        fcntl.flock(handle, fcntl.LOCK_UN)  # Closing is not enough: a child that was forked now has the handle too.
        os.close(handle)


def _pending(spool: str) -> List[Event]:
    if not os.path.exists(spool) or not os.path.getsize(spool):
        return []
    with _locked(spool):  # Another process may be in the middle of a line.
        return _read(spool)


def _read(path: str) -> List[Event]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return [_parsed(line) for line in file if line.strip()]
    except FileNotFoundError:
        return []


def _parsed(line: str) -> Event:
    with contextlib.suppress(ValueError):
        value = json.loads(line)
        if isinstance(value, dict):
            return value
    return {"id": line, "path": "", "body": line}  # Damaged; it is sent to the rejected file.


def _append(path: str, lines: Sequence[Event], limit: float) -> None:
    """Writes the lines to disk, all or none. When the file is full, its older half is dropped, counted and logged."""
    data = "".join(json.dumps(line) + "\n" for line in lines).encode()
    is_new = not os.path.exists(path)
    if not is_new and os.path.getsize(path) + len(data) > limit:
        _drop_half(path)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        size = os.lseek(handle, 0, os.SEEK_END)
        if size and os.pread(handle, 1, size - 1) != b"\n":
            data = b"\n" + data  # The last line was cut by a crash.
        try:
            written = 0
            while written < len(data):
                written += os.write(handle, data[written:])
            os.fsync(handle)
        except OSError:
            os.ftruncate(handle, size)
            raise
    finally:
        os.close(handle)
    if is_new:
        _sync_folder(path)


def _drop_half(path: str) -> None:
    lines = _read(path)
    kept = lines[(len(lines) + 1) // 2:]
    note = f"{len(lines) - len(kept)} events were dropped at {now()}, because {os.path.basename(path)} was full."
    log.error(note)
    if path.endswith(".rejected"):
        kept = [{"reason": note}, *kept]
    else:
        _append(path + ".rejected", [{"reason": note}], limit=MAX_FILE)
    _rewrite(path, kept)


def _remove(spool: str, ids: set) -> None:
    if not ids:
        return
    try:
        with _locked(spool):
            _rewrite(spool, [line for line in _read(spool) if line.get("id") not in ids])
    except OSError as error:  # They are sent again, which changes nothing at the service.
        log.warning("Sent events remain in %s: %s", spool, _text(error))


def _rewrite(path: str, lines: Sequence[Event]) -> None:
    if not lines:  # Needs no space, so it works on a full disk.
        with contextlib.suppress(FileNotFoundError):
            os.truncate(path, 0)
        return
    handle = os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(handle, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)
        file.flush()
        os.fsync(handle)
    os.replace(path + ".new", path)
    _sync_folder(path)


def _sync_folder(path: str) -> None:
    handle = os.open(os.path.dirname(path), os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


# --- settings and values ----------------------------------------------------------------------------------------------

def _setting(name: str) -> str:
    return os.environ.get(name, "").strip()


def _spool() -> str:
    return os.path.abspath(os.path.expanduser(_setting("CATALOG_SPOOL") or "~/.catalog/spool.jsonl"))


def _address() -> str:
    url = urllib.parse.urlsplit(_setting("CATALOG_URL"))
    if url.scheme not in ("http", "https") or not url.hostname or "@" in url.netloc or url.query or url.fragment:
        raise _Unavailable("CATALOG_URL must be like https://catalog.example.com, without a user or a query")
    path = url.path.rstrip("/")
    return f"{url.scheme}://{url.netloc}{path if path.endswith('/api/v1') else path + '/api/v1'}"


def _authorization() -> Dict[str, str]:
    key = _setting("CATALOG_API_KEY")
    if any(not "!" <= character <= "~" for character in key):  # urllib would repeat the key in its message.
        raise _Unavailable("CATALOG_API_KEY contains a character that no key has")
    return {"Authorization": f"Bearer {key}"} if key else {}


def now() -> str:
    """The current time as the service reads it."""
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="microseconds")


def _outcome(error: Optional[BaseException]) -> Tuple[str, Optional[str]]:
    """The status of a block that ended with this exception, and the message."""
    if error is None or (isinstance(error, SystemExit) and error.code in (None, 0)):
        return "completed", None
    return ("failed" if isinstance(error, (Exception, SystemExit)) else "cancelled"), _text(error)


def _text(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"[:10_000]
    except Exception:  # An exception whose text cannot be made must not replace the job's own.
        return type(error).__name__


def _known(body: Dict[str, Any]) -> Dict[str, Any]:
    """Without fields that are None: the service reads null as an instruction to clear the field."""
    return {name: value for name, value in body.items() if value is not None}


def _clean(value: Any) -> Any:
    """The value as JSON that every reader accepts: no NaN, no lone surrogate, no U+0000, no foreign types."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, (numbers.Real, Decimal)):
        number = float(value)
        return number if math.isfinite(number) else str(value)
    if isinstance(value, dict):
        return {_clean(str(name)): _clean(item) for name, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_clean(item) for item in value]
    text = value.isoformat() if isinstance(value, (datetime.datetime, datetime.date)) else str(value)
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")


_sender = _Sender()

if __name__ == "__main__":
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    commands = {"flush": flush, "resend": resend}
    if len(sys.argv) != 2 or sys.argv[1] not in commands:
        sys.exit("usage: python3 catalog.py flush | resend")
    remaining = commands[sys.argv[1]]()
    sys.exit(f"{remaining} events remain in {_spool()}" if remaining else 0)
