public import HTTP

extension DiagnosisPage.Section {
    /// What was asked for, without what is secret by its name. `rows` come before the rest.
    public static func request(_ head: RequestHead, _ rows: [(String, String)]) -> [Self] {
        let line = [
            ("Method", head.method.name), ("Path", PercentCoding.decodeLeniently(head.string(head.rawPath).utf8)),
        ]
        let query = (try? QueryValues(parsing: head.query.utf8))?.pairs.map { ($0.name, $0.value) } ?? []
        var sections: [Self] = [
            .table("Request", line + rows),
            .table("Header fields", SecretMask.applied(to: head.fields.pairs.map { ($0.name, $0.value) })),
        ]
        if !query.isEmpty { sections.append(.table("Query", SecretMask.applied(to: query))) }
        return sections
    }
}
