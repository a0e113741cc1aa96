import CPlatform

/// How large a terminal is.
public enum TerminalSize {
    /// Columns and rows; nil when the descriptor is no terminal, or one that does not know.
    public static func of(_ descriptor: Int32) -> (columns: Int, rows: Int)? {
        var (columns, rows): (UInt16, UInt16) = (0, 0)
        guard cplatform_terminal_size(descriptor, &columns, &rows) == 0, columns > 0, rows > 0 else { return nil }
        return (Int(columns), Int(rows))
    }
}
