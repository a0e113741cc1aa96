/// Something that a thread takes before a job and gives back after it, and that it may keep from one job to the next when
/// both want the same: an interpreter's lock, which is dear to take and to give back.
///
/// It is given back before the thread waits, before it runs a job that does not want it, and when it ends.
package final class ThreadLease: Sendable {
    package let begin: @Sendable () -> Void
    package let end: @Sendable () -> Void

    package init(begin: @escaping @Sendable () -> Void, end: @escaping @Sendable () -> Void) {
        self.begin = begin
        self.end = end
    }
}
