# What hourly.sql must give, worked out by awk: `awk -v series=cpu -v low=0 -v high=100 -f hourly.awk FILE`.
# One line a window: series, start, readings, total, mean, low, high; times are text throughout.

BEGIN { FS = "," }

# The header, and what is no number.
$2 !~ /^-?[0-9]+(\.[0-9]+)?$/ { next }

$2 + 0 < low + 0 || (high != "" && $2 + 0 > high + 0) { next }

# Of readings of one time the first.
$1 in seen { next }

{
    seen[$1] = 1
    hour = substr($1, 1, 13) ":00:00"
    value = $2 + 0
    if (!(hour in count) || value < least[hour]) least[hour] = value
    if (!(hour in count) || value > most[hour]) most[hour] = value
    count[hour]++
    total[hour] += value
}

END {
    for (hour in count)
        printf "%s,%s,%d,%.17g,%.17g,%.17g,%.17g\n", series, hour, count[hour], total[hour],
            total[hour] / count[hour], least[hour], most[hour]
}
