/// All tags and filters an engine knows: Django's and those of its libraries, which win over Django's.
struct TagRegistry: Sendable {
    /// Compiles one kind of tag; nil when it leaves nothing to render.
    struct TagParser: Sendable {
        let parse: @Sendable (TagToken, TemplateParser) throws(TemplateError) -> (any TemplateNode)?
    }

    private var tags: [String: TagParser] = BuiltinTags.all
    private var filters: [String: FilterFunction] = BuiltinFilters.all
    /// Django's libraries whose tags and filters are built in here.
    private var libraryNames: Set<String> = ["static", "humanize", "l10n", "i18n", "tz", "cache"]

    init(libraries: [TagLibrary]) {
        for library in libraries {
            libraryNames.insert(library.name)
            for filter in library.filters { filters[filter.name] = filter }
            for tag in library.simpleTags {
                tags[tag.name] = TagParser { token, parser throws(TemplateError) in
                    try SimpleTagNode(tag, token, parser)
                }
            }
            for tag in library.inclusionTags {
                tags[tag.name] = TagParser { token, parser throws(TemplateError) in
                    try InclusionTagNode(tag, token, parser)
                }
            }
            for tag in library.blockTags {
                tags[tag.name] = TagParser { token, parser throws(TemplateError) in
                    try tag.parse(token, parser)
                }
            }
        }
    }

    func tag(_ name: String) -> TagParser? { tags[name] }
    func filter(_ name: String) -> FilterFunction? { filters[name] }
    func knows(library name: String) -> Bool { libraryNames.contains(name) }
    func knows(tagOrFilter name: String) -> Bool { tags[name] != nil || filters[name] != nil }

    func nearestTag(_ name: String) -> String? {
        Self.nearest(name, in: Array(tags.keys) + ["extends"] + BuiltinTags.inner)
    }
    func nearestFilter(_ name: String) -> String? { Self.nearest(name, in: Array(filters.keys)) }
    func nearestLibrary(_ name: String) -> String? { Self.nearest(name, in: Array(libraryNames)) }

    /// The candidate with the fewest edits, when they are few for the length of the word.
    static func nearest(_ word: String, in candidates: [String]) -> String? {
        let limit = max(1, min(3, word.count / 3))
        guard word.utf8.count <= 64 else { return nil }
        let scored = candidates.map { (distance(word, $0), $0) }.filter { $0.0 <= limit }
        return scored.min { ($0.0, $0.1) < ($1.0, $1.1) }?.1
    }

    /// Insertions, deletions, replacements and swaps of neighbours.
    private static func distance(_ left: String, _ right: String) -> Int {
        let a = Array(left.utf8)
        let b = Array(right.utf8)
        guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
        var before: [Int] = []
        var previous = Array(0...b.count)
        for i in 1...a.count {
            var current = [i]
            for j in 1...b.count {
                var cost = min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { cost = min(cost, before[j - 2] + 1) }
                current.append(cost)
            }
            before = previous
            previous = current
        }
        return previous[b.count]
    }
}
