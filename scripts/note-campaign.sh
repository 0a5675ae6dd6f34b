#!/bin/bash
# note-campaign.sh NAME MINUTES SEED RESULT: a row in docs/campaigns.md, in the table under the heading of that name.
set -euo pipefail
cd "$(dirname "$0")/.."
file=docs/campaigns.md
commit=$(git rev-parse --short HEAD)
git diff --quiet HEAD -- Sources || commit+="+"
row="| $(date -u +%F\ %H:%M) | $commit | $3 | $2 | $4 |"
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
