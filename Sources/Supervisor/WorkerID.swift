/// One worker process in the life of a supervisor: never used again, unlike a process id.
public struct WorkerID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Counts from 1 in the order of starting.
    public let number: Int

    public init(_ number: Int) {
        self.number = number
    }

    public static func < (left: Self, right: Self) -> Bool { left.number < right.number }

    public var description: String { String(number) }
}
