import ControllerRuntime
import Synchronization

/// Passes keys on to a controller that is made later than their source.
final class KeyRelay: Sendable {
    private let controller = Mutex<Controller?>(nil)

    func deliver(to controller: Controller) {
        self.controller.withLock { $0 = controller }
    }

    func send(_ key: ObjectKey) {
        controller.withLock { $0 }?.enqueue(key)
    }
}
