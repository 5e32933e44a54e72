"""Progress where nobody watches a terminal: CI logs, nohup, cron."""

from monitor.cli.progress import steps


def test_a_log_file_gets_a_line_for_every_tenth_and_not_for_every_step(capsys):
    with steps() as show:
        for step in range(101):
            show("Training", step / 100)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(",")[0] for line in lines] == [f"Training {tenth} %" for tenth in range(0, 101, 10)]
