import Glibc
import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// What applications do with their process: print, handle signals, fork, leave threads behind.
    @Suite struct PythonProcesses {
        @Test(arguments: bothModes) func outputReachesTheLog(_ mode: [String]) throws {
            let server = try Folder.pythonServer(
                """
                import io, logging, sys, threading, traceback, warnings
                print("while importing")
                sys.stderr.write("in ")
                sys.stderr.write("pieces\\n")

                def speak():
                    logging.getLogger("plain").warning("without configuration")
                    logging.basicConfig(level=logging.DEBUG)
                    logging.getLogger("mine").error("an error")
                    logging.getLogger("mine").debug("a detail")
                    warnings.warn("be warned")
                    print("several\\nlines")
                    print("lone \\udc80 surrogate")
                    sys.stdout.buffer.write(b"bytes \\xc3")
                    sys.stdout.buffer.write(b"\\xa9 \\xff\\n")
                    io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8").write("wrapped\\n")
                    sys.stdout.reconfigure(encoding="utf-8")
                    print("long " + "x" * 300_000 + " end")
                    try:
                        1 / 0
                    except ZeroDivisionError:
                        traceback.print_exc()
                    thread = threading.Thread(target=lambda: print("from a thread", end=""), name="speaker")
                    thread.start()
                    thread.join()
                    thread = threading.Thread(target=lambda: [][1], name="failing")
                    thread.start()
                    thread.join()
                    import faulthandler
                    faulthandler.enable()
                    print("not ended", end="", flush=True)
                    return sys.stdout.fileno(), sys.stdout.isatty(), sys.stdout.encoding

                """ + answering("speak()"), arguments: mode)
            #expect(try server.get("/").text == "(1, False, 'utf-8')")
            try server.stop()
            let process = mode.contains("process") ? "worker 1" : "app"
            for text in [
                "info [\(process)] while importing", "warning [\(process)] in pieces",
                "warning [\(process)] plain: without configuration", "error [\(process)] ERROR:mine:an error",
                "info [\(process)] DEBUG:mine:a detail", "UserWarning: be warned\n",
                "info [\(process)] several\n    lines",
                "lone \\udc80 surrogate", "info [\(process)] bytes é \\xff", "info [\(process)] wrapped",
                "x end source=python", "info [\(process)] not ended",
                "warning [\(process)] Traceback (most recent call last):\n      File",
                "info [\(process)] from a thread",
                "error [\(process)] exception in thread failing:\n    Traceback (most recent call last):",
            ] {
                #expect(server.errors.contains(text), "\(text)")
            }
            // A traceback is one record.
            #expect(server.errors.split(separator: "\n").filter { $0.contains("ZeroDivisionError") }.count == 1)
            #expect(!server.log.contains("several"))
        }

        /// The server's signals stay its own, whatever the application installs; all others work while nothing else happens.
        @Test(arguments: bothModes) func signals(_ mode: [String]) throws {
            let server = try Folder.pythonServer(
                """
                import os, signal, threading, time
                seen = []
                woken = threading.Event()

                def note(number, frame):
                    seen.append((signal.Signals(number).name, threading.current_thread() is threading.main_thread()))
                    woken.set()

                before = signal.getsignal(signal.SIGINT) is signal.default_int_handler
                for number in signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGALRM, signal.SIGWINCH:
                    signal.signal(number, note)
                kept = signal.getsignal(signal.SIGTERM) is note and signal.signal(signal.SIGTERM, note) is note
                reading, writing = os.pipe()
                os.set_blocking(writing, False)
                signal.set_wakeup_fd(writing)

                def alarm():
                    signal.setitimer(signal.ITIMER_REAL, 0.01)
                    woken.wait(60)
                    return before, kept, seen, list(os.read(reading, 10))

                """ + answering("alarm()"), arguments: mode)
            #expect(try server.get("/").text == "(True, True, [('SIGALRM', True)], [14])")
            try server.stop()
        }

        /// What ends a program ends the server in order, also through asyncio's handlers.
        @Test(arguments: bothModes) func asyncioSignalHandlers(_ mode: [String]) throws {
            let server = try Folder.pythonServer(
                """
                import asyncio, signal
                seen = []

                async def app(scope, receive, send):
                    if scope["type"] != "http":
                        raise NotImplementedError
                    loop = asyncio.get_running_loop()
                    woken = asyncio.Event()
                    for number in signal.SIGTERM, signal.SIGINT, signal.SIGALRM:
                        loop.add_signal_handler(number, lambda number=number: (seen.append(int(number)), woken.set()))
                    signal.setitimer(signal.ITIMER_REAL, 0.01)
                    await asyncio.wait_for(woken.wait(), 60)
                    for number in signal.SIGTERM, signal.SIGALRM:
                        loop.remove_signal_handler(number)
                    await send({"type": "http.response.start", "status": 200, "headers": []})
                    await send({"type": "http.response.body", "body": str(seen).encode()})

                """, arguments: mode)
            #expect(try server.get("/").text == "[14]")
            // Once more: the wake-up is still there after the loop has given its own up.
            #expect(try server.get("/").text == "[14, 14]")
            try server.stop()
        }

        private static let children = """
            import multiprocessing, os, subprocess, sys

            def double(queue, number):
                queue.put((number * 2, sys.executable))

            def start(kind):
                context = multiprocessing.get_context(kind)
                queue = context.Queue()
                process = context.Process(target=double, args=(queue, 21))
                process.start()
                result = queue.get(timeout=60)
                process.join(60)
                return result, process.exitcode

            def end():
                process = multiprocessing.get_context("fork").Process(target=__import__("time").sleep, args=(1000,))
                process.start()
                process.terminate()
                process.join(60)
                return process.exitcode

            def sockets():
                # The server's own: what it accepts from, and what it accepted.
                found = 0
                import socket
                for name in os.listdir("/proc/self/fd"):
                    try:
                        link = os.readlink("/proc/self/fd/" + name)
                        if link.startswith("socket:"):
                            with socket.socket(fileno=os.dup(int(name))) as one:
                                found += one.family == socket.AF_INET
                    except OSError:
                        pass
                return found

            def fork(child):
                pid = os.fork()
                if pid == 0:
                    child()
                    return "the child came back"
                return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

            """

        @Test(arguments: Pythons.all, bothModes) func children(_ python: String, _ mode: [String]) throws {
            let server = try Folder.pythonServer(
                Self.children
                    + answering(
                        "[start('fork'), start('spawn'), start('forkserver'), end(), subprocess.run([sys.executable, '-c', ''])"
                            + ".returncode, os.environ.get('APP_FDS')]"), python: python, arguments: mode)
            let double = "((42, '\(python)'), 0)"
            #expect(try server.get("/").text == "[\(double), \(double), \(double), -15, 0, None]")
            try server.stop()
        }

        /// A child neither holds the server's sockets nor answers on them; the parent goes on.
        @Test(arguments: bothModes) func forks(_ mode: [String]) throws {
            let server = try Folder.pythonServer(
                Self.children
                    + answering("[fork(lambda: os._exit(sockets())), fork(lambda: print('hello')), sockets() > 1]"),
                arguments: mode)
            for _ in 0..<3 { #expect(try server.get("/").text == "[0, 1, True]") }
            #expect(server.errors.contains("a process that the application forked came back into the server"))
            #expect(server.errors.contains("\nhello\n"))
            try server.stop()
        }

        /// `atexit` handlers run at the end, whatever is left.
        @Test(
            arguments: bothModes,
            [
                ("", "'ok'"),
                ("threading.Thread(target=time.sleep, args=(1000,), daemon=False, name='sleeper').start()", "'ok'"),
                (
                    "import concurrent.futures; pool = concurrent.futures.ThreadPoolExecutor(); pool.submit(len, '')",
                    "'ok'"
                ),
            ]) func atExit(_ mode: [String], _ what: (preparation: String, expression: String)) throws
        {
            let server = try Folder.pythonServer(
                answering(
                    what.expression,
                    after: "import atexit, threading, time\natexit.register(print, 'the', 'end')\n\(what.preparation)"),
                options: "timeouts: {drain: 1s}", arguments: mode)
            #expect(try server.get("/").text == "ok")
            try server.stop()
            #expect(server.errors.contains("] the end source=python"), "\(server.errors)")
            if what.preparation.contains("sleeper") {
                #expect(server.errors.contains("thread sleeper did not end within"), "\(server.errors)")
            }
        }

        /// A request that never ends is cut off, and the end comes all the same.
        @Test(
            arguments: bothModes,
            [
                "def app(environ, start_response):\n    begin()\n    time.sleep(1000)\n",
                "async def app(scope, receive, send):\n    if scope['type'] == 'http':\n        begin()\n        time.sleep(1000)\n"
                    + "    raise NotImplementedError\n",
            ]) func atExitWithSomebodyInside(_ mode: [String], _ code: String) throws
        {
            let server = try Folder.pythonServer(
                "import atexit, time\natexit.register(print, 'the', 'end')\ndef begin():\n    print('begun')\n" + code,
                options: "timeouts: {drain: 1s}", arguments: mode)
            let connection = try server.connect()
            try connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            try eventually("the request begins") { server.errors.contains("] begun") }
            try server.stop()
            #expect(server.errors.contains("] the end source=python"), "\(server.errors)")
        }

        /// The process goes, another one comes.
        @Test func exitInAView() throws {
            let server = try Folder.pythonServer(
                "import os, sys\n"
                    + answering(
                        "sys.exit(3) if environ['PATH_INFO'] == '/system' else os._exit(3) "
                            + "if environ['PATH_INFO'] == '/process' else 'here'"))
            #expect(try server.get("/system").status == 500)
            try eventually("it is logged") { server.errors.contains("SystemExit: 3") }
            #expect(throws: WireError.noResponse) { try server.get("/process") }
            #expect(try server.get("/").text == "here")
            try server.stop()
        }
    }
}
