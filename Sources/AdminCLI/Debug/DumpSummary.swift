import Foundation
import KubernetesAPI
import NestboxAPI

/// The first page of a dump: what is not as it should be.
enum DumpSummary {
    static func text(_ clusters: [HostedCluster], missing: Int, now: Date) -> String {
        var text =
            "Dumped \(Timestamp.format(now)) by nestbox \(ProductVersion.current). Secrets are removed; names and addresses are not.\n"
        if missing > 0 { text += "\(missing) things could not be read: missing.txt\n" }
        for cluster in clusters {
            text += "\nHostedCluster \(cluster.key): \(cluster.status?.version.map { "\($0)" } ?? "no version serves")"
            text += cluster.metadata.deletionTimestamp.map { ", being deleted since \($0)" } ?? ""
            let wrong = HostedCluster.conditionTypes.compactMap { type -> [String]? in
                guard let condition = cluster.status?.conditions?.named(type.name), type.healthy.map({ $0 != condition.status }) == true
                else {
                    return nil
                }
                return ["", condition.type, condition.status, condition.reason, condition.lastTransitionTime, condition.message]
            }
            text += wrong.isEmpty ? ", all conditions are good\n" : "\n" + Rendering.table(wrong)
        }
        return text
    }
}
