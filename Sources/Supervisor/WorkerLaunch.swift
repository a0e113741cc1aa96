import Platform

/// How a worker is told who it is and what its descriptors are: two environment variables, written by the supervisor and read
/// by the worker.
///
/// `APP_FDS=listen:3,listen:4,control:5,config:6,status:7` names the descriptors (others beside those it must have), `APP_WORKER=id:7,slot:0,generation:1,drain:30000` the
/// worker, with the time it may take to drain in milliseconds.
struct WorkerLaunch: Equatable {
    var listeners: [Int32] = []
    var control: Int32 = -1
    var config: Int32 = -1
    /// What else it gets, by name.
    var attachments: [String: Int32] = [:]
    var id = WorkerID(0)
    var slot = 0
    var generation = 0
    var drain: Duration = .zero

    /// The attachment that the worker is started from, where that is not the running executable.
    static let image = "image"

    static let descriptorsVariable = "APP_FDS"
    static let workerVariable = "APP_WORKER"

    /// The layout for a worker that gets so many listeners: descriptors count from 3.
    init(
        id: WorkerID, slot: Int, generation: Int, drain: Duration, listenerCount: Int, attachments names: [String] = []
    ) {
        self.id = id
        self.slot = slot
        self.generation = generation
        self.drain = drain
        listeners = (0..<Int32(listenerCount)).map { 3 + $0 }
        control = 3 + Int32(listenerCount)
        config = control + 1
        for (index, name) in names.enumerated() { attachments[name] = config + 1 + Int32(index) }
    }

    /// The two variables.
    var variables: [String: String] {
        let descriptors =
            listeners.map { "listen:\($0)" } + ["control:\(control)", "config:\(config)"]
            + attachments.sorted { $0.value < $1.value }.map { "\($0.key):\($0.value)" }
        return [
            WorkerLaunch.descriptorsVariable: descriptors.joined(separator: ","),
            WorkerLaunch.workerVariable:
                "id:\(id),slot:\(slot),generation:\(generation),drain:\(drain.pollMilliseconds)",
        ]
    }

    /// Reads them again.
    init(environment: [String: String]) throws(WorkerControlError) {
        guard let descriptors = environment[WorkerLaunch.descriptorsVariable],
            let worker = environment[WorkerLaunch.workerVariable]
        else { throw .notAWorker }
        for (name, number) in try WorkerLaunch.pairs(descriptors) {
            switch name {
            case "listen": listeners.append(number)
            case "control": control = number
            case "config": config = number
            default: attachments[String(name)] = number
            }
        }
        for (name, number) in try WorkerLaunch.pairs(worker) {
            switch name {
            case "id": id = WorkerID(Int(number))
            case "slot": slot = Int(number)
            case "generation": generation = Int(number)
            case "drain": drain = .milliseconds(number)
            default: throw .malformedEnvironment("\(WorkerLaunch.workerVariable)=\(worker)")
            }
        }
        guard control >= 3, config >= 3 else {
            throw .malformedEnvironment("\(WorkerLaunch.descriptorsVariable)=\(descriptors)")
        }
    }

    private static func pairs(_ text: String) throws(WorkerControlError) -> [(Substring, Int32)] {
        var result: [(Substring, Int32)] = []
        for item in text.split(separator: ",") {
            let parts = item.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, let number = Int32(parts[1]), number >= 0 else { throw .malformedEnvironment(text) }
            result.append((parts[0], number))
        }
        return result
    }
}
