import Glibc
import Platform

/// Waits until the condition holds; the deadline is for what never comes, and no measure of speed.
package func eventually(
    _ what: String, within seconds: Int = 120,
    _ condition: () throws -> Bool
) throws {
    let deadline = MonotonicTime.now() + .seconds(seconds)
    while try !condition() {
        guard MonotonicTime.now() < deadline else { throw Unfulfilled(what: what) }
        usleep(10_000)
    }
}

/// Something that was waited for did not come.
package struct Unfulfilled: Error, CustomStringConvertible {
    package let what: String

    package init(what: String) { self.what = what }

    package var description: String { "waited in vain: \(what)" }
}
