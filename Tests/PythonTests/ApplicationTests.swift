import Platform
import TestSupport
import Testing

extension Python {
    /// The interpreter that applications find themselves in.
    @Suite struct Interpreter {
        private static let process = ConformanceRun("interpreter")

        @Test(arguments: Conformance.lines("interpreter")) func environment(line: Conformance.Line) {
            Conformance.expect(line, of: Self.process)
        }
    }

    /// Real frameworks, visited by real clients.
    @Suite struct Frameworks {
        private static let process = ConformanceRun(
            "frameworks", client: Conformance.frameworks, interpreter: Conformance.frameworks)

        @Test(arguments: Conformance.lines("frameworks")) func application(line: Conformance.Line) {
            Conformance.expect(line, of: Self.process)
        }
    }

    /// Other versions of CPython, where the machine has them: what differs most between them.
    @Suite struct Versions {
        private static let smoke: [(checklist: String, ids: [String])] = [
            ("wsgi", ["W1", "W6", "W10", "W15", "W17", "W18", "W22", "W24", "W27", "W32", "W34", "W36", "W41"]),
            ("http", ["H2", "H3", "H5", "H6", "H7", "H11", "H12", "H13", "H15"]),
            ("websocket", ["S1", "S3", "S5", "S7", "S9"]),
            ("lifespan", ["L1", "L4", "L6"]),
            ("loop", ["tasks", "threads", "subprocess", "sockets", "context", "exit", "stop"]),
            ("interpreter", ["identity", "virtualenv", "processes", "signals", "exit"]),
        ]

        @Test(.enabled(if: !Conformance.otherInterpreters.isEmpty, "PORTICO_TEST_PYTHONS names none"))
        func smokeOfEach() {
            for interpreter in Conformance.otherInterpreters {
                for (checklist, ids) in Self.smoke {
                    let run = ConformanceRun(checklist, client: interpreter, interpreter: interpreter, ids: ids)
                    for id in ids { Conformance.expect(.init(id: id, title: "with \(interpreter)"), of: run) }
                }
            }
        }
    }
}
