/// NFKD for the Latin letters with accents (Latin-1 Supplement and Latin Extended-A), which is what slugs are made from.
/// The standard library normalises, but does not say how.
enum LatinDecomposition {
    private static let letters: [Unicode.Scalar: String] = {
        let groups: [(String, String)] = [
            ("A", "ÀÁÂÃÄÅĀĂĄǍ"), ("C", "ÇĆĈĊČ"), ("D", "Ď"), ("E", "ÈÉÊËĒĔĖĘĚ"), ("G", "ĜĞĠĢ"), ("H", "Ĥ"),
            ("I", "ÌÍÎÏĨĪĬĮİǏ"), ("J", "Ĵ"), ("K", "Ķ"), ("L", "ĹĻĽ"), ("N", "ÑŃŅŇ"), ("O", "ÒÓÔÕÖŌŎŐǑ"), ("R", "ŔŖŘ"),
            ("S", "ŚŜŞŠȘ"), ("T", "ŢŤȚ"), ("U", "ÙÚÛÜŨŪŬŮŰŲǓ"), ("W", "Ŵ"), ("Y", "ÝŶŸ"), ("Z", "ŹŻŽ"),
            ("a", "àáâãäåāăąǎª"), ("c", "çćĉċč"), ("d", "ď"), ("e", "èéêëēĕėęě"), ("g", "ĝğġģ"), ("h", "ĥ"),
            ("i", "ìíîïĩīĭįǐ"), ("j", "ĵ"), ("k", "ķ"), ("l", "ĺļľ"), ("n", "ñńņň"), ("o", "òóôõöōŏőǒº"), ("r", "ŕŗř"),
            ("s", "śŝşšșſ"), ("t", "ţťț"), ("u", "ùúûüũūŭůűųǔ"), ("w", "ŵ"), ("y", "ýÿŷ"), ("z", "źżž"),
            ("1", "¹"), ("2", "²"), ("3", "³"), (" ", "\u{a0}"), ("fi", "ﬁ"), ("fl", "ﬂ"), ("IJ", "Ĳ"), ("ij", "ĳ"),
        ]
        var table: [Unicode.Scalar: String] = [:]
        for (base, accented) in groups {
            for scalar in accented.unicodeScalars { table[scalar] = base }
        }
        return table
    }()

    static func scalars(of scalar: Unicode.Scalar) -> [Unicode.Scalar] {
        scalar.isASCII ? [scalar] : letters[scalar].map { Array($0.unicodeScalars) } ?? [scalar]
    }
}
