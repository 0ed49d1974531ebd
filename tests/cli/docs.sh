# shellcheck shell=bash disable=SC2154,SC2034
# The reference page is what the program says of itself.

"$stepwell" help --markdown >page.md
check "docs/reference/cli.md is up to date (stepwell help --markdown >docs/reference/cli.md)" diff -u "$project/docs/reference/cli.md" page.md
t "the page is hidden" 0 "noout:--markdown" -- help help
