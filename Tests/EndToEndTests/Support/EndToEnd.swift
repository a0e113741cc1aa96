import TestSupport
import Testing

/// Tests of the program as its users meet it: the real binary, started in a directory of its own, on a free port.
///
/// One after the other, since each starts processes and counts what becomes of them.
@Suite(.serialized, .onThreadsOfItsOwn) enum EndToEnd {}
