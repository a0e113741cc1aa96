/// The candidate that was probably meant by `word`: the one with the fewest edits (a swap of neighbours counts as one),
/// if they are few for the word's length. Letter case and `_` for `-` do not count.
func nearest(to word: String, among candidates: some Sequence<String>) -> String? {
    let typed = Array(comparable(word))
    guard !typed.isEmpty, typed.count <= 64 else { return nil }
    let limit = typed.count <= 3 ? 1 : typed.count <= 6 ? 2 : 3
    var best: (distance: Int, candidate: String)?
    for candidate in candidates {
        let distance = editDistance(typed, Array(comparable(candidate)))
        if distance <= limit, distance < best?.distance ?? .max { best = (distance, candidate) }
    }
    return best?.candidate
}

private func comparable(_ word: String) -> [UInt8] {
    word.utf8.map { $0 == UInt8(ascii: "_") ? UInt8(ascii: "-") : (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
}

/// Damerau-Levenshtein distance, restricted: insertions, deletions, replacements, swaps of neighbours.
private func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    if left.isEmpty || right.isEmpty { return max(left.count, right.count) }
    var beforePrevious: [Int] = []
    var previous = Array(0...right.count)
    for i in 1...left.count {
        var row = [i]
        for j in 1...right.count {
            var cost = min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1))
            if i > 1, j > 1, left[i - 1] == right[j - 2], left[i - 2] == right[j - 1] {
                cost = min(cost, beforePrevious[j - 2] + 1)
            }
            row.append(cost)
        }
        beforePrevious = previous
        previous = row
    }
    return previous[right.count]
}
