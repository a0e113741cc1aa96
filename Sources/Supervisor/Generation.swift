import Platform

/// A listening socket with what was asked for, by which the next generation finds it again.
public struct BoundListener: Sendable {
    public let address: ListenAddress
    public let socket: ListeningSocket

    public init(_ address: ListenAddress, _ socket: ListeningSocket) {
        self.address = address
        self.socket = socket
    }
}

/// Everything that workers of one generation are started with.
final class Generation: Sendable {
    let number: Int
    let options: SupervisorOptions
    let program: SupervisorProcess.Program
    /// The executable, held open where it is not the running one, so that all of a generation run the same.
    let image: WorkerAttachment?
    let listeners: [BoundListener]
    /// In anonymous memory.
    let payload: Descriptor
    let watched: [String]

    init(
        number: Int, plan: GenerationPlan, program: SupervisorProcess.Program, image: WorkerAttachment? = nil,
        listeners: [BoundListener]
    ) throws(SystemError) {
        payload = try MemoryFile.make(name: "app-config", plan.payload)
        self.number = number
        options = plan.options
        self.program = program
        self.image = image
        self.listeners = listeners
        watched = plan.watched
    }

    /// One that another program made.
    init(
        number: Int, options: SupervisorOptions, program: SupervisorProcess.Program, listeners: [BoundListener],
        payload: consuming Descriptor, watched: [String]
    ) {
        self.number = number
        self.options = options
        self.program = program
        image = nil
        self.listeners = listeners
        self.payload = payload
        self.watched = watched
    }
}

/// The sockets of a generation: those of the one before where the same is asked for, new ones elsewhere.
public struct ListenerSuccession: Sendable {
    let present: [BoundListener]
    let bind: @Sendable (ListenAddress) throws(BindError) -> ListeningSocket

    /// `bind` opens what is not among the `present`.
    public init(
        present: [BoundListener], bind: @escaping @Sendable (ListenAddress) throws(BindError) -> ListeningSocket
    ) {
        self.present = present
        self.bind = bind
    }

    /// All sockets, in the order of `addresses`. When one cannot be had, none of the new ones stays open.
    public func listeners(for addresses: [ListenAddress]) throws(GenerationError) -> [BoundListener] {
        var kept = present
        var result: [BoundListener] = []
        var new: [ListeningSocket] = []
        for address in addresses {
            if let index = kept.firstIndex(where: { $0.address == address }) {
                result.append(kept.remove(at: index))
                continue
            }
            do throws(BindError) {
                // Numbers of descriptors mean something only to whoever started this process, at that moment.
                if case .descriptor(let number) = address {
                    throw .badDescriptor(number, reason: "a descriptor can be taken over only when the server starts")
                }
                let socket = try bind(address)
                new.append(socket)
                result.append(BoundListener(address, socket))
            } catch {
                for socket in new { socket.close() }
                throw GenerationError("\(error)")
            }
        }
        return result
    }
}
