import Glibc
import Logging
import Platform

/// Making generations, and letting go of them.
extension SupervisorProcess {
    func prepare(_ number: Int, _ kind: Rollout.Kind) {
        let present = generations[state.generation]
        let succession = ListenerSuccession(present: present?.listeners ?? [], bind: setup.bind)
        let keeps = setup.keepsListeners
        let environment = setup.program.environment
        let limit = state.options.start
        let program = present?.program ?? setup.program
        let image = present?.image
        let planner = setup.planner
        let upgrade = setup.upgrade

        preparation.begin(number) { () throws(GenerationError) in
            guard let present else { throw GenerationError("there is no generation to take the place of") }
            let plan: GenerationPlan
            var newImage = image
            switch kind {
            case .reload:
                guard let planner else { throw GenerationError("this server cannot be reloaded") }
                let payload: [UInt8]
                do { payload = try MemoryFile.contents(of: present.payload) } catch {
                    throw GenerationError("\(error)")
                }
                plan = try planner(payload)
            case .upgrade(let named):
                guard let upgrade else { throw GenerationError("this program cannot be replaced while it runs") }
                let successor = try Successor(path: named ?? upgrade.path)
                plan = try successor.plan(
                    upgrade.plan, environment: environment, payload: present.payload, within: limit)
                newImage = successor.image
            }
            let listeners =
                keeps ? succession.present : try succession.listeners(for: plan.listeners)
            do {
                return try Generation(
                    number: number, plan: plan, program: program, image: newImage, listeners: listeners)
            } catch {
                throw GenerationError("\(error)")
            }
        }
    }

    func takeIn(_ result: Preparation.Result) {
        switch result.outcome {
        case .success(let generation):
            generations[result.number] = generation
            handle(.prepared(generation: result.number, generation.options))
        case .failure(let error):
            handle(.preparationFailed(generation: result.number, error.description))
        }
    }

    /// Closes the sockets that no other generation has.
    func drop(_ number: Int) {
        guard let dropped = generations.removeValue(forKey: number) else { return }
        let kept = Set(generations.values.flatMap(\.listeners).map { ObjectIdentifier($0.socket) })
        for listener in dropped.listeners where !kept.contains(ObjectIdentifier(listener.socket)) {
            listener.socket.close()
        }
    }

    func announce(_ number: Int) {
        guard let generation = generations[number] else { return }
        watch(generation)
        setup.onServing(generation.listeners.map(\.socket))
    }

    func watch(_ generation: Generation) {
        do {
            try watchedFiles?.watch(generation.watched)
        } catch {
            logger.warning("changes of \(generation.watched.joined(separator: ", ")) are not noticed: \(error)")
        }
    }
}
