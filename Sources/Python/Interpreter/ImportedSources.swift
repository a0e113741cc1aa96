import CPython

extension Interpreter {
    /// The files of the modules that were imported so far, without Python's own and installed ones; empty when there are no
    /// others than when this was last asked for.
    public func newSources() -> [String] {
        enter {
            defer { PyErr_Clear() }
            let text = (try? Py.value(support.pointer, "new_sources")).flatMap(Py.consumeText)
            return text?.split(separator: "\n").map(String.init) ?? []
        }
    }
}
