import Glibc
import Platform
import Synchronization

/// The making of generations on threads of their own, since reading a configuration, looking for a Python or resolving a name
/// may take its time.
final class Preparation: Sendable {
    /// What came out of one.
    struct Result: Sendable {
        let number: Int
        let outcome: Swift.Result<Generation, GenerationError>
    }

    private let results = Mutex<[Result]>([])
    private let wake: EventCounter

    init() throws(SystemError) {
        wake = try EventCounter()
    }

    /// Readable when results wait.
    var descriptor: Int32 { wake.descriptor }

    func take() -> [Result] {
        wake.take()
        return results.withLock { results in
            defer { results = [] }
            return results
        }
    }

    /// Begins to make generation `number`; the result comes later.
    func begin(_ number: Int, _ make: @escaping @Sendable () throws(GenerationError) -> Generation) {
        let run: @Sendable () -> Void = { [self] in
            let result: Result
            do throws(GenerationError) {
                result = Result(number: number, outcome: .success(try make()))
            } catch {
                result = Result(number: number, outcome: .failure(error))
            }
            results.withLock { $0.append(result) }
            wake.signal()
        }
        do {
            try DedicatedThread.start(name: "prepare", run)
        } catch {
            let failure = GenerationError("\(error)")
            results.withLock { $0.append(Result(number: number, outcome: .failure(failure))) }
            wake.signal()
        }
    }
}

/// Another executable that may take over: it is asked for a plan, since only it knows what it understands of the configuration,
/// and later whether it can read what would be handed over to it.
struct Successor: Sendable {
    /// The path, for people.
    let path: String
    let image: WorkerAttachment

    /// Opens the executable, so that what was asked is what is started, also if the file is replaced meanwhile.
    init(path: String) throws(GenerationError) {
        self.path = path
        do {
            image = WorkerAttachment(name: WorkerLaunch.image, descriptor: try Descriptor.executable(path))
        } catch {
            throw GenerationError("the new program cannot be used: \(error)")
        }
    }

    init(path: String, image: WorkerAttachment) {
        self.path = path
        self.image = image
    }

    func plan(
        _ arguments: [String], environment: [String: String], payload: borrowing Descriptor, within limit: Duration
    ) throws(GenerationError) -> GenerationPlan {
        let answer: Descriptor
        do { answer = try MemoryFile.make(name: "app-plan", []) } catch { throw GenerationError("\(error)") }
        try run(arguments, environment, [(answer.rawValue, 3), (payload.rawValue, 4)], answer, within: limit)
        guard let bytes = try? MemoryFile.contents(of: answer), let plan = GenerationPlan(bytes) else {
            throw GenerationError("\(path) does not say what this program understands: it may be too old or too new")
        }
        return plan
    }

    /// Whether it understands what would be handed over to it.
    func probe(
        _ arguments: [String], environment: [String: String], document: borrowing Descriptor, within limit: Duration
    ) throws(GenerationError) {
        let answer: Descriptor
        do { answer = try MemoryFile.make(name: "app-answer", []) } catch { throw GenerationError("\(error)") }
        try run(arguments, environment, [(document.rawValue, 3), (answer.rawValue, 4)], answer, within: limit)
    }

    private func run(
        _ arguments: [String], _ environment: [String: String], _ descriptors: [(source: Int32, target: Int32)],
        _ answer: borrowing Descriptor, within limit: Duration
    ) throws(GenerationError) {
        let status: ProcessStatus?
        do {
            let pid = try ChildProcess.spawn(
                executable: "/proc/self/fd/5", arguments: arguments, environment: environment,
                descriptors: descriptors + [(source: image.descriptor.rawValue, target: 5)])
            status = try ChildProcess.wait(pid, within: limit)
        } catch {
            throw GenerationError("\(path) cannot be started: \(error)")
        }
        guard let status else { throw GenerationError("\(path) did not answer within \(limit)") }
        guard status.isSuccess else {
            let said = (try? MemoryFile.contents(of: answer)).map { String(decoding: $0.prefix(4096), as: UTF8.self) }
            let reason = said.flatMap { $0.isEmpty ? nil : ": \($0)" } ?? ""
            throw GenerationError("\(path) ended with \(status)\(reason)")
        }
    }
}
