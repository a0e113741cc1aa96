/// A command written as text, split into words as a shell would, without a shell.
enum CommandText {
    /// Why it cannot be split; a part of an error message.
    struct Problem: Error, Equatable {
        let text: String
    }

    /// The words: separated by spaces; `'…'` is literal, in `"…"` a backslash keeps `"` and `\` from their meaning, outside
    /// it keeps any character from its.
    static func words(_ text: String) throws(Problem) -> [String] {
        var words: [String] = []
        var word: String?
        var rest = text[...]
        while let character = rest.popFirst() {
            switch character {
            case " ", "\t", "\n", "\r\n":
                if let finished = word { words.append(finished) }
                word = nil
            case "'":
                guard let end = rest.firstIndex(of: "'") else { throw Problem(text: "a ' has no end") }
                word = (word ?? "") + rest[..<end]
                rest = rest[rest.index(after: end)...]
            case "\"":
                word = (word ?? "") + (try quoted(&rest))
            case "\\":
                guard let next = rest.popFirst() else { throw Problem(text: "nothing follows the last \\") }
                word = (word ?? "") + String(next)
            case "|", "&", ";", "<", ">", "`":
                throw Problem(
                    text: "there is no shell that would understand '\(character)': quote it, or write [sh, -c, '…']")
            default:
                word = (word ?? "") + String(character)
            }
        }
        if let word { words.append(word) }
        guard words.first.map({ !$0.isEmpty }) ?? false else { throw Problem(text: "it names no program") }
        return words
    }

    private static func quoted(_ rest: inout Substring) throws(Problem) -> String {
        var result = ""
        while let character = rest.popFirst() {
            switch character {
            case "\"": return result
            case "\\":
                guard let next = rest.popFirst() else { break }
                if next != "\"" && next != "\\" { result += "\\" }
                result.append(next)
            default: result.append(character)
            }
        }
        throw Problem(text: "a \" has no end")
    }
}
