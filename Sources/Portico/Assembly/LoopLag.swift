import NIOCore
import Platform
import Synchronization

/// How long event loops take to come to what they are asked: what a request waits for where applications run on the loop.
final class LoopLag: Sendable {
    private struct Question {
        var askedAt: MonotonicTime?
        var answer = Duration.zero
    }
    private let questions = Mutex<[ObjectIdentifier: Question]>([:])

    /// The longest lag of the loops: that of the question before, or as long as it has been waiting. Asks anew. Never waits.
    func measure(_ loops: [any EventLoop]) -> Duration {
        var longest = Duration.zero
        for loop in loops {
            let id = ObjectIdentifier(loop)
            let now = MonotonicTime.now()
            let isWaiting = questions.withLock { questions in
                var question = questions[id] ?? Question()
                longest = max(longest, question.answer, question.askedAt.map { now - $0 } ?? .zero)
                defer { questions[id] = question }
                guard question.askedAt == nil else { return true }
                question.askedAt = now
                return false
            }
            if !isWaiting { loop.execute { [self] in answer(id) } }
        }
        return longest
    }

    private func answer(_ id: ObjectIdentifier) {
        questions.withLock { questions in
            guard let askedAt = questions[id]?.askedAt else { return }
            questions[id] = Question(askedAt: nil, answer: MonotonicTime.now() - askedAt)
        }
    }
}
