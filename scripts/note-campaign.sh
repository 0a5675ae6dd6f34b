#!/bin/bash
# note-campaign.sh HEADING COMMIT MINUTES SEED RESULT: a row in docs/campaigns.md, in the table under that heading.
set -euo pipefail
cd "$(dirname "$0")/.."
file=docs/campaigns.md
# Rounds may run beside each other.
exec 9<docs
flock 9
row="| $(date -u +%F\ %H:%M) | $2 | $4 | $3 | $5 |"
grep -q "^## $1\$" "$file" || { echo "error: $file has no heading \"$1\"" >&2; exit 1; }
# Behind the last row of that section's table.
awk -v heading="## $1" -v row="$row" '
    { lines[NR] = $0 }
    $0 == heading { inside = 1; next }
    /^## / { inside = 0 }
    inside && /^\|/ { last = NR }
    END { for (i = 1; i <= NR; i++) { print lines[i]; if (i == last) print row } }
' "$file" >"$file.new"
mv "$file.new" "$file"
