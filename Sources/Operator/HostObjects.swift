import ControlPlane
import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import KubernetesVersions
import NestboxAPI

extension KubernetesClient {
    /// The object, or nil when it is not there.
    func find<T: KubernetesObject>(_ type: T.Type = T.self, _ key: ObjectKey) async throws -> T? {
        try await find(type, key.name, namespace: key.namespace)
    }

    /// Deletes what is there under the object's name.
    func remove<T: KubernetesObject>(_ object: T) async throws {
        try await deleteIfPresent(T.self, object.name, namespace: object.namespace)
    }

    /// Deletes the object; that it is gone already is as good.
    func deleteIfPresent<T: KubernetesObject>(
        _ type: T.Type, _ name: String, namespace: String? = nil, uid: String? = nil, gracePeriodSeconds: Int? = nil
    ) async throws {
        do {
            try await delete(type, name, namespace: namespace, uid: uid, gracePeriodSeconds: gracePeriodSeconds)
        } catch let error as KubernetesError where error.isNotFound || (uid != nil && error.isConflict) {}
    }

    /// Adds the finalizer unless it is there; the object is then as the API server answered.
    func addFinalizer<T: KubernetesObject>(_ finalizer: String, to object: inout T) async throws {
        guard object.metadata.finalizers?.contains(finalizer) != true else { return }
        object.metadata.finalizers = (object.metadata.finalizers ?? []) + [finalizer]
        object = try await update(object)
    }

    func removeFinalizer<T: KubernetesObject>(_ finalizer: String, from object: T) async throws {
        guard object.metadata.finalizers?.contains(finalizer) == true else { return }
        var object = object
        object.metadata.finalizers?.removeAll { $0 == finalizer }
        do {
            _ = try await update(object)
        } catch let error as KubernetesError where error.isNotFound {}
    }

    /// Changes a Machine's status as it is now: `change` sees the object fresh and says whether there is anything to write,
    /// so that of two actors in a race the second sees what the first did. False when nothing was written.
    @discardableResult
    func updateMachineStatus(_ name: String, _ change: (inout Machine) -> Bool) async throws -> Bool {
        try await retryOnConflict {
            guard let machine = try await find(Machine.self, ObjectKey(name: name)) else { return false }
            var changed = machine
            if changed.status == nil { changed.status = MachineStatus() }
            guard change(&changed), changed.status != machine.status else { return false }
            _ = try await updateStatus(changed)
            return true
        }
    }
}

extension Machine {
    /// Sets one of its conditions, as this generation of it is seen now.
    mutating func setCondition(_ type: String, _ isTrue: Bool, reason: String, message: String) {
        var conditions = ConditionSet(status?.conditions, generation: metadata.generation)
        conditions.set(type, isTrue, reason: reason, message: message)
        status?.conditions = conditions.list
    }

    mutating func removeCondition(_ type: String) { status?.conditions?.removeAll { $0.type == type } }
}

/// Who writes, in server-side apply.
let fieldManager = NestboxName.fieldManager
