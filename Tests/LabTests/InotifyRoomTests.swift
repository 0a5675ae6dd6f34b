import Testing

@testable import Lab

@Suite struct InotifyRoomTests {
    @Test(arguments: [(0, 128, true), (2, 128, true), (8, 128, true), (9, 128, false), (10, 1024, true), (200, 1024, false)])
    func saysHowManyMachinesMayBeNodes(machines: Int, limit: Int, fits: Bool) {
        #expect((InotifyRoom.shortage(machines: machines, limit: limit) == nil) == fits)
    }

    @Test func saysWhatToDo() {
        #expect(
            InotifyRoom.shortage(machines: 10, limit: 128)
                == "10 machines that are nodes want about 142 inotify instances, and this computer allows 128: kubelets would not start; "
                + "raise it with: sysctl fs.inotify.max_user_instances=512")
    }
}
