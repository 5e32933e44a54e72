"""Who may open the file: many readers or one writer, and nobody starves."""

import subprocess
import sys
import textwrap
import threading
import time

import pytest

from monitor.errors import StoreBusy
from monitor.store.gate import Gate


def test_readers_share_the_file(tmp_path):
    gate = Gate(tmp_path / "m.duckdb", wait_seconds=1)
    with gate.read(), gate.read():
        pass


@pytest.mark.parametrize(("first", "second"), [("read", "write"), ("write", "read"), ("write", "write")])
def test_a_writer_is_alone_also_between_threads_of_one_process(tmp_path, first, second):
    gate = Gate(tmp_path / "m.duckdb", wait_seconds=0.1)
    with getattr(gate, first)(), pytest.raises(StoreBusy), getattr(gate, second)():
        pass


def test_a_writer_gets_in_between_readers_that_never_pause(tmp_path):
    gate, stop = Gate(tmp_path / "m.duckdb", wait_seconds=10), threading.Event()

    def read():
        while not stop.is_set():
            with gate.read():
                time.sleep(0.02)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    started = time.monotonic()
    for _ in range(5):
        with gate.write():
            pass
    waited = time.monotonic() - started
    stop.set()
    for reader in readers:
        reader.join()
    assert waited < 5


def test_nobody_gives_up_while_the_file_is_rewritten_and_everybody_does_where_it_is_only_held(tmp_path):
    gate = Gate(tmp_path / "m.duckdb", wait_seconds=0.1)
    entered, passed = threading.Event(), []

    def rewrite():
        with gate.rewrite():
            entered.set()
            time.sleep(0.6)

    def enter(way):
        with getattr(gate, way)():
            passed.append(way)

    threads = [threading.Thread(target=rewrite)]
    threads[0].start()
    entered.wait()
    threads += [threading.Thread(target=enter, args=(way,)) for way in ("read", "write", "rewrite")]
    for thread in threads[1:]:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(passed) == ["read", "rewrite", "write"]
    with gate.write(), pytest.raises(StoreBusy), gate.read():
        pass


def test_the_lock_goes_with_a_process_that_is_killed(tmp_path):
    script = textwrap.dedent(f"""
        import time
        from pathlib import Path
        from monitor.store.gate import Gate
        with Gate(Path({str(tmp_path / "m.duckdb")!r})).write():
            print("held", flush=True)
            time.sleep(60)
    """)
    holder = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    gate = Gate(tmp_path / "m.duckdb", wait_seconds=0.2)
    with pytest.raises(StoreBusy) as caught, gate.read():
        pass
    assert "m.duckdb" in caught.value.message
    holder.kill()
    holder.wait()
    with gate.write():
        pass
