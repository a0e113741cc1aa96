import Glibc
import Logging
import Platform

/// What goes over to another program in the same process: everything the supervisor holds, in anonymous memory, and the
/// descriptors, which keep their numbers.
public struct HandOver: Sendable {
    /// Names the descriptor of the document.
    static let variable = "APP_HANDOVER"

    let records: [Record]

    init(_ records: [Record]) {
        self.records = [Record("handover", ["version": "1"])] + records
    }

    var encoded: [UInt8] { Array(records.map { $0.line + "\n" }.joined().utf8) }

    /// Reads a document; nil when it is none this version understands.
    public init?(_ bytes: [UInt8]) {
        guard let records = Record.document(String(decoding: bytes, as: UTF8.self)),
            records.first == Record("handover", ["version": "1"]), SupervisorState(records) != nil
        else { return nil }
        self.records = records
    }

    /// What was handed over to this process; nil when it was started as any other. The variable is gone afterwards.
    public static func taken(from environment: [String: String]) throws(GenerationError) -> HandOver? {
        guard let text = environment[variable] else { return nil }
        unsetenv(variable)
        guard let number = Int32(text), number > 2 else {
            throw GenerationError("\(variable)=\(text) is no descriptor")
        }
        do {
            guard let handOver = HandOver(try MemoryFile.contents(of: Descriptor(adopting: number))) else {
                throw GenerationError("what the program before handed over cannot be read")
            }
            return handOver
        } catch let error as GenerationError {
            throw error
        } catch {
            throw GenerationError("\(error)")
        }
    }

    /// The payload of the generation that serves.
    public func payload() throws(GenerationError) -> [UInt8] {
        guard let number: Int32 = records.first(where: { $0.word == "generation" })?.integer("payload") else {
            throw GenerationError("there is no payload")
        }
        do {
            return try MemoryFile.contents(ofDescriptor: number)
        } catch {
            throw GenerationError("\(error)")
        }
    }

    /// What every worker was told (``SupervisorCommands/Request/announce(_:)``).
    public var announcement: String? { records.first { $0.word == "pool" }?["announcement"] }

    /// The programs beside the workers.
    public var programs: [InheritedProgram] { records.compactMap { InheritedProgram($0) } }

    /// Whether the sockets stay whatever the configuration says.
    public var keepsListeners: Bool {
        records.first { $0.word == "generation" }?["keeps-listeners"] == "1"
    }
}

extension SupervisorProcess {
    /// Goes on where the program before left off.
    public static func resume(_ handOver: HandOver, _ setup: Setup) throws(GenerationError) -> Int32 {
        guard let state = SupervisorState(handOver.records),
            let record = handOver.records.first(where: { $0.word == "generation" }),
            let payload: Int32 = record.integer("payload")
        else { throw GenerationError("what the program before handed over is not complete") }
        var setup = setup
        // The place stays the same, though what was found there may have started a program elsewhere.
        if let path = record["path"] { setup.upgrade?.path = path }
        var listeners: [BoundListener] = []
        var removed: [ListeningSocket] = []
        var watched: [String] = []
        do {
            for record in handOver.records {
                switch record.word {
                case "listener":
                    guard let address = record["address"].flatMap({ ListenAddress($0) }),
                        let number: Int32 = record.integer("descriptor")
                    else { throw GenerationError("a listener cannot be read") }
                    let file = record["path"].flatMap { path in
                        UnixSocketFile(
                            path: path, device: record.integer("device") ?? 0, inode: record.integer("inode") ?? 0)
                    }
                    let socket = try ListeningSocket(inheriting: number, file: file)
                    if record["removed"] == "1" {
                        removed.append(socket)
                    } else {
                        listeners.append(BoundListener(address, socket))
                    }
                case "watch": watched += [record["path"]].compactMap(\.self)
                default: continue
                }
            }
            if let image: Int32 = record.integer("image") { _ = Descriptor(adopting: image) }
            try Descriptor.setCloseOnExec(payload)
            let generation = Generation(
                number: state.generation, options: state.options, program: setup.program, listeners: listeners,
                payload: Descriptor(adopting: payload), watched: watched)
            let supervisor = try SupervisorProcess(setup, state, generation)
            supervisor.hasBegun = true
            for socket in removed { socket.close() }
            try supervisor.adoptWorkers(handOver.records)
            setup.onServing(listeners.map(\.socket))
            // Blocked since before this program began, so that none was lost.
            Signal.unblockAll()
            setup.logger.notice("generation \(state.generation) serves, under a new program (pid \(getpid()))")
            return supervisor.run()
        } catch let error as GenerationError {
            throw error
        } catch {
            throw GenerationError("\(error)")
        }
    }

    private func adoptWorkers(_ records: [Record]) throws(SystemError) {
        for record in records where record.word == "channel" {
            guard let number: Int = record.integer("worker"), let worker = state.workers[WorkerID(number)],
                let pid = worker.pid, let channel: Int32 = record.integer("descriptor")
            else { continue }
            try Descriptor.setCloseOnExec(channel)
            var attachments: [WorkerAttachment] = []
            for (name, text) in record.values where name.hasPrefix("attached-") {
                guard let descriptor = Int32(text) else { continue }
                try Descriptor.setCloseOnExec(descriptor)
                attachments.append(
                    WorkerAttachment(
                        name: String(name.dropFirst("attached-".count)), descriptor: Descriptor(adopting: descriptor)))
            }
            ChildProcess.adopt(pid)
            let handle = WorkerHandle(
                id: worker.id, pid: pid, channel: ControlChannel(adopting: Descriptor(adopting: channel)),
                attachments: attachments)
            handle.isOpen = record["open"] == "1"
            handles[worker.id] = handle
            setup.observer?.inherited(worker.snapshot, attachments)
        }
    }

    /// The document, and the descriptors that have to stay open.
    private func handOverDocument(
        _ generation: Generation, _ programs: [InheritedProgram]
    ) -> (HandOver, descriptors: [Int32]) {
        var records = state.records
        var descriptors = [generation.payload.rawValue]
        var record = Record("generation")
        if let image = generation.image?.descriptor.rawValue {
            // A script that is started under this name is read under this name.
            record.set("image", image)
            descriptors.append(image)
        }
        record.set("payload", generation.payload.rawValue)
        record.set("keeps-listeners", setup.keepsListeners ? 1 : 0)
        record.set("path", setup.upgrade?.path)
        records.append(record)
        records += generation.watched.map { Record("watch", ["path": $0]) }

        let kept = Set(generation.listeners.map { ObjectIdentifier($0.socket) })
        var listeners = generation.listeners.map { ($0, isRemoved: false) }
        for other in generations.values.flatMap(\.listeners) where !kept.contains(ObjectIdentifier(other.socket)) {
            listeners.append((other, isRemoved: true))
        }
        for (listener, isRemoved) in listeners where listener.socket.descriptor >= 0 {
            var record = Record("listener", ["address": listener.address.description])
            record.set("descriptor", listener.socket.descriptor)
            if isRemoved { record.set("removed", 1) }
            if let file = listener.socket.file {
                record.set("path", file.path)
                record.set("device", file.device)
                record.set("inode", file.inode)
            }
            records.append(record)
            descriptors.append(listener.socket.descriptor)
        }
        for handle in handles.values.sorted(by: { $0.id < $1.id }) {
            var record = Record("channel")
            record.set("worker", handle.id.number)
            record.set("descriptor", handle.channel.descriptor.rawValue)
            record.set("open", handle.isOpen ? 1 : 0)
            descriptors.append(handle.channel.descriptor.rawValue)
            for attachment in handle.attachments {
                record.set("attached-\(attachment.name)", attachment.descriptor.rawValue)
                descriptors.append(attachment.descriptor.rawValue)
            }
            records.append(record)
        }
        for program in programs {
            records.append(program.record)
            if program.descriptor >= 0 { descriptors.append(program.descriptor) }
        }
        return (HandOver(records), descriptors)
    }

    /// Makes this process the program of the generation. Returns only when it did not.
    func become(_ number: Int, answering commands: [Int]) -> GenerationError {
        do throws(GenerationError) {
            try handOver(to: number, answering: commands)
        } catch {
            setup.programs?.resume()
            return error
        }
    }

    private func handOver(to number: Int, answering commands: [Int]) throws(GenerationError) -> Never {
        guard let generation = generations[number], let image = generation.image, let upgrade = setup.upgrade else {
            throw GenerationError("there is no other program")
        }
        // Nothing is started and nothing taken in from here on, unless it comes to nothing.
        let (handOver, descriptors) = handOverDocument(generation, setup.programs?.suspend() ?? [])
        let successor = Successor(path: upgrade.path, image: image)
        let document: Descriptor
        do {
            document = try MemoryFile.make(name: "app-handover", handOver.encoded)
        } catch {
            throw GenerationError("\(error)")
        }
        try successor.probe(
            upgrade.probe, environment: setup.program.environment, document: document, within: state.options.start)
        announce(number)
        for command in commands { answer(command, .done) }
        logger.notice("generation \(number) serves; the supervisor becomes \(upgrade.path)")

        Signal.blockAll()
        // What came before they were blocked waits for the next program, as what comes now does.
        for signal in signals.take() where signal != .child { signal.send(to: getpid()) }
        var environment = setup.program.environment
        environment[HandOver.variable] = "\(document.rawValue)"
        let error = ChildProcess.become(
            executable: "/proc/self/fd/\(image.descriptor.rawValue)", arguments: upgrade.serve,
            environment: environment,
            keeping: descriptors + [document.rawValue])
        Signal.unblockAll()
        throw GenerationError("the new program could not be started in this process: \(error)")
    }
}
