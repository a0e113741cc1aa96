/// What must hold between the options of `workers`.
enum WorkerRules {
    /// A number and a range, and a range the wrong way round.
    static func check(_ tree: ConfigTree) -> [ConfigError] {
        var errors: [ConfigError] = []
        guard let workers = tree["workers"], let most = workers["max"] else { return [] }
        if let count = workers["count"], case let origin = count.origin, origin != .builtIn(layer: "development") {
            errors.append(
                ConfigError(
                    .conflict("'count' and 'max' exclude each other: one says how many, the other how many at most"),
                    at: origin, path: "workers.count"))
        }
        if let fewest = workers["min"]?.scalar.flatMap({ Validator.integer($0.text) }),
            let most = most.scalar.flatMap({ Validator.integer($0.text) }), fewest > most
        {
            errors.append(
                ConfigError(
                    .conflict("'min' is \(fewest) and 'max' \(most)"), at: workers["min"]?.origin ?? workers.origin,
                    path: "workers.min"))
        }
        return errors
    }
}
