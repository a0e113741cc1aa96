import ArgumentParser
import Config
import Glibc
import Platform
import Web

/// `app top`
struct TopCommand: ParsableCommand {
    static let configuration = CommandConfiguration.toServer(
        "top", "Watch a running server: workers, requests per second, waiting, the slowest requests.",
        """
        q ends it. Where the output is no terminal, each look is printed below the last.
        Exit status: 0 ended by q, or --count looks; 64 several servers run, 69 none answers.
        """)

    @OptionGroup var target: AdminTarget

    @Option(help: ArgumentHelp("Between two looks.", valueName: "duration"))
    var interval = "1s"

    @Option(help: ArgumentHelp("End after so many looks.", valueName: "number"))
    var count: Int?

    func validate() throws {
        guard let pause = Duration(configurationText: interval), pause >= .milliseconds(100) else {
            throw ValidationError("--interval takes a duration from 100ms such as 2s; got '\(interval)'")
        }
        guard count ?? 1 > 0 else { throw ValidationError("--count takes a number from 1.") }
    }

    func run() throws {
        let client = try target.client()
        let pause = Duration(configurationText: interval) ?? .seconds(1)
        var before = ServerReport(try JSONValue(parsing: client.demand("GET", "/status").body))
        let terminal = isatty(STDOUT_FILENO) == 1 && isatty(STDIN_FILENO) == 1 ? TerminalScreen() : nil
        var looks = 0
        var now = before
        var hasTwo = false
        while true {
            let size = terminal?.size ?? (columns: 120, rows: 40)
            let screen = TopScreen(now: now, before: hasTwo ? before : nil, width: size.columns, height: size.rows)
            if let terminal {
                terminal.show(screen.lines)
            } else {
                Console.print(screen.lines.joined(separator: "\n") + "\n")
            }
            looks += 1
            if let count, looks >= count { return }
            guard terminal?.waitForQuit(pause) != true else { return }
            if terminal == nil { usleep(UInt32(clamping: pause.wholeNanoseconds / 1000)) }
            before = now
            do throws(AdminClient.Failure) {
                let answer = try client.send("GET", "/status")
                now = ServerReport((try? JSONValue(parsing: answer.body)) ?? .null)
            } catch {
                terminal?.restore()
                Console.error("\(error)")
                throw ArgumentParser.ExitCode.unavailable
            }
            hasTwo = true
        }
    }
}

/// The terminal as a screen that is drawn again and again, and a keyboard of single keys.
final class TerminalScreen {
    private var saved = termios()
    private var isRestored = false
    private let signals: SignalSource?

    init() {
        tcgetattr(STDIN_FILENO, &saved)
        var raw = saved
        raw.c_lflag &= ~UInt32(ICANON | ECHO | ISIG)
        tcsetattr(STDIN_FILENO, TCSANOW, &raw)
        signals = try? SignalSource([.terminate, .hangUp])
        // The alternate screen, without the cursor: what was there before comes back.
        write("\u{1B}[?1049h\u{1B}[?25l")
    }

    deinit { restore() }

    func restore() {
        guard !isRestored else { return }
        isRestored = true
        write("\u{1B}[?25h\u{1B}[?1049l")
        tcsetattr(STDIN_FILENO, TCSANOW, &saved)
    }

    /// Columns and rows; what a terminal that says nothing has.
    var size: (columns: Int, rows: Int) { TerminalSize.of(STDOUT_FILENO) ?? (80, 24) }

    /// Draws the lines; what was there is overwritten rather than erased, so that nothing flickers.
    func show(_ lines: [String]) {
        write("\u{1B}[H" + lines.map { $0 + "\u{1B}[K" }.joined(separator: "\n") + "\u{1B}[J")
    }

    /// Waits, at most so long; true when `q`, Ctrl-C or a signal says that it is time to end.
    func waitForQuit(_ limit: Duration) -> Bool {
        let deadline = MonotonicTime.now() + limit
        while MonotonicTime.now() < deadline {
            var waiting = [
                pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0),
                pollfd(fd: signals?.descriptor ?? -1, events: Int16(POLLIN), revents: 0),
            ]
            guard poll(&waiting, 2, (deadline - .now()).pollMilliseconds) > 0 else { return false }
            if waiting[1].revents != 0 { return true }
            var key: UInt8 = 0
            guard read(STDIN_FILENO, &key, 1) == 1 else { return true }
            if key == UInt8(ascii: "q") || key == UInt8(ascii: "Q") || key == 3 { return true }
            if key == UInt8(ascii: " ") || key == 0x0D { return false }
        }
        return false
    }

    private func write(_ text: String) {
        let bytes = Array(text.utf8)
        bytes.withUnsafeBytes { buffer in
            do throws(SystemError) { try Descriptor.writeAll(buffer, to: STDOUT_FILENO) } catch { return }
        }
    }
}
