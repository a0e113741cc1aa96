import ArgumentParser
import Glibc
import Platform
import Supervisor

/// `app supervise`: what a running server asks the executable that is to take its place. Not for people.
struct SuperviseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "supervise", abstract: "Answer the server whose place this program is to take.",
        shouldDisplay: false)

    @OptionGroup var options: ServeOptions

    @Option(help: .hidden) var readyFile: String?
    @Option(help: .hidden) var exitAfter: String?

    /// Writes to descriptor 3 what workers of this program need; descriptor 4 has the present ones' payload.
    @Flag(help: .hidden) var plan = false

    /// Reads from descriptor 3 what would be handed over; writes to descriptor 4 why it cannot be.
    @Flag(help: .hidden) var probe = false

    func run() throws {
        ChildProcess.setName("app supervise")
        if plan {
            do throws(GenerationError) {
                write(try ServingPlan(options).next(after: contents(of: 4)).plan.encoded, to: 3)
            } catch {
                write(Array(error.description.utf8), to: 3)
                throw ArgumentParser.ExitCode.configuration
            }
        } else if probe {
            guard HandOver(contents(of: 3)) != nil else {
                write(Array("\(Version.text) does not understand what would be handed over".utf8), to: 4)
                throw ArgumentParser.ExitCode.internalError
            }
        } else {
            Console.error("app supervise is started by app serve")
            throw ArgumentParser.ExitCode(Supervisor.ExitCode.usage)
        }
    }

    private func contents(of descriptor: Int32) -> [UInt8] {
        (try? MemoryFile.contents(ofDescriptor: descriptor)) ?? []
    }

    private func write(_ bytes: [UInt8], to descriptor: Int32) {
        bytes.withUnsafeBytes { try? Descriptor.writeAll($0, to: descriptor) }
    }
}
