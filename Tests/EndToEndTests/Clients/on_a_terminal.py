"""Runs a program on a terminal of 80 columns and 24 rows until it shows a text, presses q, and prints what it wrote: escape
sequences and all. The exit status is the program's.

    on_a_terminal.py TEXT PROGRAM [ARGUMENT]...
"""

import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time


def main():
    wanted, arguments = sys.argv[1].encode(), sys.argv[2:]
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm"
        # Before the program looks how large its terminal is.
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        os.execvp(arguments[0], arguments)
    written, deadline, has_asked = b"", time.monotonic() + 120, False
    while time.monotonic() < deadline:
        ready, _, _ = select.select([terminal], [], [], 0.5)
        if ready:
            try:
                piece = os.read(terminal, 65536)
            except OSError:
                break
            if not piece:
                break
            written += piece
        # Several looks, so that what changes between two of them is seen too.
        if wanted in written and not has_asked and written.count(wanted) >= 2:
            os.write(terminal, b"q")
            has_asked = True
    else:
        os.kill(pid, 9)
    _, status = os.waitpid(pid, 0)
    sys.stdout.buffer.write(written)
    sys.exit(os.waitstatus_to_exitcode(status) if has_asked else 99)


main()
