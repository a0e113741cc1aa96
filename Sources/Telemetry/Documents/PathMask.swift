/// Paths as status documents show them: what looks like a secret in them is left out.
enum PathMask {
    /// A segment from this length on that mixes letters and digits may be a token (password resets, share links, keys).
    private static let tokenLength = 16

    /// `path` with segments that may be tokens as `*`.
    static func masked(_ path: String) -> String {
        path.split(separator: "/", omittingEmptySubsequences: false).map { isToken($0) ? "*" : String($0) }
            .joined(separator: "/")
    }

    /// Long, without the dots and percent signs of file names and titles, and with both letters and digits in it.
    private static func isToken(_ segment: Substring) -> Bool {
        guard segment.utf8.count >= tokenLength else { return false }
        var (letters, digits) = (false, false)
        for byte in segment.utf8 {
            switch byte {
            case 0x30...0x39: digits = true
            case 0x41...0x5A, 0x61...0x7A: letters = true
            case 0x2D, 0x5F, 0x3D, 0x7E, 0x3A, 0x2E, 0xE2, 0x80, 0xA6: break
            default: return false
            }
        }
        return letters && digits
    }
}
