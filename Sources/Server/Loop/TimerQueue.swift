import NIOCore

/// What a loop is to do at some time.
final class LoopTimer: @unchecked Sendable {
    // Sendable: changed by the queue it is in alone, which its loop keeps under a lock.

    let deadline: NIODeadline
    /// Orders timers of the same time.
    fileprivate let number: UInt64
    /// Nil once cancelled.
    fileprivate(set) var action: (@Sendable () -> Void)?

    fileprivate init(_ deadline: NIODeadline, _ number: UInt64, _ action: @escaping @Sendable () -> Void) {
        self.deadline = deadline
        self.number = number
        self.action = action
    }
}

/// The timers of a loop, as a binary heap. A value without a clock of its own.
struct TimerQueue {
    private var heap: [LoopTimer] = []
    private var made: UInt64 = 0
    private var cancelled = 0

    /// When the next timer is due, cancelled ones included.
    var nextDeadline: NIODeadline? { heap.first?.deadline }

    var count: Int { heap.count - cancelled }

    /// Adds a timer.
    mutating func insert(_ deadline: NIODeadline, _ action: @escaping @Sendable () -> Void) -> LoopTimer {
        made += 1
        let timer = LoopTimer(deadline, made, action)
        heap.append(timer)
        siftUp(heap.count - 1)
        return timer
    }

    /// Cancels a timer that may have run already. What is cancelled leaves the heap when half of it is: most timers are
    /// deadlines that are kept, and those go long before their time.
    mutating func cancel(_ timer: LoopTimer) {
        guard timer.action != nil else { return }
        timer.action = nil
        cancelled += 1
        guard cancelled > 64, cancelled > heap.count / 2 else { return }
        heap.removeAll { $0.action == nil }
        cancelled = 0
        for index in stride(from: heap.count / 2, through: 0, by: -1) { siftDown(index) }
    }

    /// Takes out what is due at `now`, in order.
    mutating func due(_ now: NIODeadline) -> [@Sendable () -> Void] {
        var actions: [@Sendable () -> Void] = []
        while let first = heap.first, first.deadline <= now {
            if let action = first.action { actions.append(action) } else { cancelled -= 1 }
            first.action = nil
            let last = heap.removeLast()
            if !heap.isEmpty {
                heap[0] = last
                siftDown(0)
            }
        }
        return actions
    }

    private func isOrdered(_ a: Int, _ b: Int) -> Bool {
        let (a, b) = (heap[a], heap[b])
        return a.deadline == b.deadline ? a.number < b.number : a.deadline < b.deadline
    }

    private mutating func siftUp(_ start: Int) {
        var index = start
        while index > 0, isOrdered(index, (index - 1) / 2) {
            heap.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    private mutating func siftDown(_ start: Int) {
        var index = start
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2] where child < heap.count && isOrdered(child, least) {
                least = child
            }
            guard least != index else { return }
            heap.swapAt(index, least)
            index = least
        }
    }
}
