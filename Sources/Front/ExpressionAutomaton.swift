/// Turns the tree of an expression into a deterministic automaton: Thompson's construction, then subsets.
struct ExpressionAutomaton {
    /// What being in a state means.
    enum Outcome: Sendable {
        case none
        /// The expression was found; what follows does not matter.
        case found
        /// It was found if the path ends here.
        case foundAtEnd
    }

    private enum Step {
        case consume(ByteSet, then: Int)
        case split(Int, Int)
        case atStart(then: Int)
        case atEnd(then: Int)
        case accept
    }

    private static let stepLimit = 20_000
    private static let stateLimit = 4_000

    private var steps: [Step] = []
    private let ignoresCase: Bool

    init(ignoresCase: Bool) { self.ignoresCase = ignoresCase }

    /// The table and what each state means; nil when it would grow beyond reason.
    mutating func compile(_ tree: ExpressionNode) -> ([UInt16], [Outcome])? {
        guard let accept = add(.accept), let start = emit(tree, then: accept) else { return nil }
        return determinized(from: start)
    }

    private mutating func add(_ step: Step) -> Int? {
        guard steps.count < Self.stepLimit else { return nil }
        steps.append(step)
        return steps.count - 1
    }

    /// Emits the steps for `node` in front of step `next`; the first of them, or nil when there are too many.
    private mutating func emit(_ node: ExpressionNode, then next: Int) -> Int? {
        switch node {
        case .empty: return next
        case .bytes(let set): return add(.consume(ignoresCase ? Self.bothCases(set) : set, then: next))
        case .wideCharacter: return emitWideCharacter(then: next)
        case .sequence(let parts):
            var target = next
            for part in parts.reversed() {
                guard let first = emit(part, then: target) else { return nil }
                target = first
            }
            return target
        case .choice(let branches):
            var target: Int?
            for branch in branches.reversed() {
                guard let first = emit(branch, then: next) else { return nil }
                guard let other = target else {
                    target = first
                    continue
                }
                guard let split = add(.split(first, other)) else { return nil }
                target = split
            }
            return target ?? next
        case .repetition(let inner, let min, let max): return emitRepetition(inner, min, max, then: next)
        case .start: return add(.atStart(then: next))
        case .end: return add(.atEnd(then: next))
        }
    }

    private mutating func emitRepetition(_ inner: ExpressionNode, _ min: Int, _ max: Int?, then next: Int) -> Int? {
        var target = next
        if let max {
            for _ in min..<Swift.max(min, max) {
                guard let first = emit(inner, then: target), let split = add(.split(first, next)) else { return nil }
                target = split
            }
        } else {
            guard let loop = add(.split(next, next)), let first = emit(inner, then: loop) else { return nil }
            steps[loop] = .split(first, next)
            target = loop
        }
        for _ in 0..<min {
            guard let first = emit(inner, then: target) else { return nil }
            target = first
        }
        return target
    }

    /// Two to four bytes as UTF-8 writes a character outside ASCII.
    private mutating func emitWideCharacter(then next: Int) -> Int? {
        let continuation = ByteSet(0x80...0xBF)
        guard let last = add(.consume(continuation, then: next)), let two = add(.consume(continuation, then: last)),
            let three = add(.consume(continuation, then: two)),
            let lead2 = add(.consume(ByteSet(0xC2...0xDF), then: last)),
            let lead3 = add(.consume(ByteSet(0xE0...0xEF), then: two)),
            let lead4 = add(.consume(ByteSet(0xF0...0xF4), then: three)), let upper = add(.split(lead3, lead4))
        else { return nil }
        return add(.split(lead2, upper))
    }

    private static func bothCases(_ set: ByteSet) -> ByteSet {
        var result = set
        for lower in UInt8(ascii: "a")...UInt8(ascii: "z") {
            if set.contains(lower) || set.contains(lower - 32) {
                result.insert(lower...lower)
                result.insert((lower - 32)...(lower - 32))
            }
        }
        return result
    }

    /// The consuming steps reachable without input, sorted, and what being there means.
    private func closure(_ roots: [Int], isStart: Bool) -> (steps: [Int], outcome: Outcome) {
        var reached: Set<Int> = []
        var atEnd: [Int] = []
        var isFound = false
        func follow(_ roots: [Int], atEndOfPath: Bool) -> Bool {
            var seen = atEndOfPath ? [] : reached
            var pending = roots
            var accepts = false
            while let index = pending.popLast() {
                guard seen.insert(index).inserted else { continue }
                switch steps[index] {
                case .consume: if !atEndOfPath { reached.insert(index) }
                case .split(let a, let b): pending += [a, b]
                case .atStart(let next): if isStart { pending.append(next) }
                case .atEnd(let next): if atEndOfPath { pending.append(next) } else { atEnd.append(next) }
                case .accept: accepts = true
                }
            }
            return accepts
        }
        isFound = follow(roots, atEndOfPath: false)
        let outcome: Outcome = isFound ? .found : follow(atEnd, atEndOfPath: true) ? .foundAtEnd : .none
        return (reached.sorted(), outcome)
    }

    private func determinized(from start: Int) -> ([UInt16], [Outcome])? {
        // State 0 leads nowhere; state 1 is the beginning.
        var table = [UInt16](repeating: 0, count: 256)
        var outcomes: [Outcome] = [.none]
        // Outside the beginning `^` fails, so the beginning is a state of its own even when it holds the same steps.
        var numbers: [[Int]: UInt16] = [:]
        let first = closure([start], isStart: true)
        // A search may begin at every byte; that adds nothing where all begins with `^`.
        let restart = closure([start], isStart: false)
        var pending: [[Int]] = [Array(Set(first.steps).union(restart.steps)).sorted()]
        outcomes.append(first.outcome)
        var done = 0
        while done < pending.count {
            let set = pending[done]
            done += 1
            var row = [UInt16](repeating: 0, count: 256)
            if outcomes[done] != .found {
                var known: [[Int]: UInt16] = [:]
                for byte in UInt8.min...UInt8.max {
                    var targets: [Int] = []
                    for index in set {
                        if case .consume(let bytes, let next) = steps[index], bytes.contains(byte) {
                            targets.append(next)
                        }
                    }
                    if let number = known[targets] {
                        row[Int(byte)] = number
                        continue
                    }
                    let reached = closure(targets + [start], isStart: false)
                    let isDead = reached.steps.isEmpty && reached.outcome == .none
                    var number: UInt16 = 0
                    if !isDead {
                        let key =
                            reached.steps + [-1 - Int(reached.outcome == .found ? 2 : reached.outcome == .none ? 0 : 1)]
                        if let existing = numbers[key] {
                            number = existing
                        } else {
                            guard pending.count < Self.stateLimit else { return nil }
                            number = UInt16(pending.count + 1)
                            numbers[key] = number
                            pending.append(reached.steps)
                            outcomes.append(reached.outcome)
                        }
                    }
                    known[targets] = number
                    row[Int(byte)] = number
                }
            }
            table += row
        }
        return (table, outcomes)
    }
}
