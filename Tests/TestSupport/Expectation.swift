import Testing

/// Expects each text of `parts` in `text`, and none of `hidden`.
package func expect(
    _ text: some StringProtocol, shows parts: [String], hides hidden: [String] = [],
    sourceLocation: SourceLocation = #_sourceLocation
) {
    for part in parts {
        #expect(text.contains(part), "\(part) is not in \(text)", sourceLocation: sourceLocation)
    }
    for part in hidden {
        #expect(!text.contains(part), "\(part) is in \(text)", sourceLocation: sourceLocation)
    }
}
