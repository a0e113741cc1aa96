import Testing

@testable import Supervisor

@Suite struct WorkerLaunchTests {
    @Test(arguments: [0, 1, 3])
    func survivesTheWay(listeners: Int) throws {
        let launch = WorkerLaunch(
            id: WorkerID(7), slot: 2, generation: 3, drain: .seconds(30), listenerCount: listeners)
        #expect(try WorkerLaunch(environment: launch.variables) == launch)
    }

    @Test func isReadableByPeople() {
        let launch = WorkerLaunch(id: WorkerID(7), slot: 0, generation: 1, drain: .seconds(30), listenerCount: 2)
        #expect(
            launch.variables == [
                "APP_FDS": "listen:3,listen:4,control:5,config:6",
                "APP_WORKER": "id:7,slot:0,generation:1,drain:30000",
            ])
    }

    @Test func namesWhatIsAttached() throws {
        let launch = WorkerLaunch(
            id: WorkerID(7), slot: 0, generation: 1, drain: .seconds(30), listenerCount: 1,
            attachments: ["status", "notes"])
        #expect(launch.variables["APP_FDS"] == "listen:3,control:4,config:5,status:6,notes:7")
        #expect(try WorkerLaunch(environment: launch.variables) == launch)
    }

    @Test func isNoWorkerWithoutInstructions() {
        #expect(throws: WorkerControlError.notAWorker) { try WorkerLaunch(environment: ["PATH": "/bin"]) }
    }

    @Test(
        arguments: [
            ("", "id:1"), ("control:3", "id:1"), ("control:x,config:4", "id:1"), ("control:-1,config:4", "id:1"),
            ("control:3,config:4", "id"), ("control:3,config:4", "shoe:1"),
            ("control:0,config:1", "id:1"),
        ])
    func refusesNonsense(descriptors: String, worker: String) {
        let error = #expect(throws: WorkerControlError.self) {
            try WorkerLaunch(environment: ["APP_FDS": descriptors, "APP_WORKER": worker])
        }
        guard case .malformedEnvironment = error else {
            Issue.record("unexpected error: \(String(describing: error))")
            return
        }
    }
}
