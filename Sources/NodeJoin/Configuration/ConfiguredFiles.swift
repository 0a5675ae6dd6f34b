import Crypto
import HexDigest
import NestboxAPI
import SSHClient

/// Files that a pool wants on its nodes. What was there before is kept, and comes back when the file is no longer wanted.
enum ConfiguredFiles {
    /// Stays until cleaning has put everything back, as all that ends in `.before`.
    static let folder = "\(NodePaths.configuration)/files.before"
    /// `ID PATH` a line.
    static let list = "\(folder)/list"

    /// `keep_file ID PATH`. It can be cut off anywhere and done again.
    private static let keep = """
        keep_file() {
            ! grep -qsxF "$1 $2" \(list) || return 0
            mkdir -p -m 700 \(folder)
            rm -rf "\(folder)/$1" "\(folder)/$1.new"
            if [ -e "$2" ] || [ -L "$2" ]; then
                [ ! -d "$2" ] || [ -L "$2" ] || { echo "$2 is a folder there, where a file is to be written" >&2; exit 1; }
                # Of others cleaning compares the times too, which no putting back restores.
                case "$2" in /etc/* | /root/*) ;; *)
                    echo "$2 is the machine's own file, and only below /etc and /root can one be put back as it was: name another path" >&2
                    exit 1
                    ;;
                esac
                cp -a "$2" "\(folder)/$1.new"
                mv -T "\(folder)/$1.new" "\(folder)/$1"
            fi
            parent=$(dirname "$2")
            while [ ! -e "$parent" ]; do echo "$parent"; parent=$(dirname "$parent"); done > "\(folder)/$1.folders"
            echo "$1 $2" >> \(list)
        }
        """

    /// `put_back_file ID PATH`. It can be cut off anywhere and done again.
    static let putBack = """
        put_back_file() {
            if [ -e "\(folder)/$1" ] || [ -L "\(folder)/$1" ]; then
                cp -a "\(folder)/$1" "$2.nestbox-new"
                mv -fT "$2.nestbox-new" "$2"
            else
                rm -f "$2"
                # Folders that were made for it; others may have put something in.
                [ ! -f "\(folder)/$1.folders" ] ||
                    while read -r parent; do rmdir "$parent" 2>/dev/null || true; done < "\(folder)/$1.folders"
            fi
            grep -vxF "$1 $2" \(list) > \(list).new || true
            mv \(list).new \(list)
            rm -rf "\(folder)/$1" "\(folder)/$1.folders"
        }
        """

    /// Writes those that are wanted, and puts back what lies under those that are wanted no more.
    static func script(_ files: [NodeFile]) -> Script {
        let files = files.map { TextFile($0.path, mode: $0.permissions, whole: $0.content) }
        let wanted = files.map { "\(id($0.path)) \($0.path)\n" }.joined()
        return Script(
            """
            \(keep)
            \(putBack)
            if [ -f \(list) ]; then
                cp \(list) \(list).now
                while read -r id path; do
                    grep -qxF "$id $path" <<'END' || put_back_file "$id" "$path"
            \(wanted)END
                done < \(list).now
                rm -f \(list).now
            fi
            \(files.map { "keep_file \(id($0.path)) \(shellQuoted($0.path))\n\($0.put)" }.joined(separator: "\n"))
            """)
    }

    private static func id(_ path: String) -> String { String(SHA256.hexDigest(of: path).prefix(16)) }
}
