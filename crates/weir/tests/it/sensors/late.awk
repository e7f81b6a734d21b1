# What late.sql must give, worked out by awk: one line a window of ten minutes (start, readings, total, low, high), and
# the number of late readings at the end.

BEGIN { FS = ","; watermark = -1 }

# Seconds since 1970 of `2013-12-02 21:15:00`: the days by the rule of the civil calendar.
function seconds(text,    y, m, d, days) {
    y = substr(text, 1, 4) + 0; m = substr(text, 6, 2) + 0; d = substr(text, 9, 2) + 0
    if (m <= 2) { y--; m += 12 }
    days = 365 * y + int(y / 4) - int(y / 100) + int(y / 400) + int((153 * (m - 3) + 2) / 5) + d - 719469
    return days * 86400 + substr(text, 12, 2) * 3600 + substr(text, 15, 2) * 60 + substr(text, 18, 2)
}

$2 !~ /^-?[0-9]+(\.[0-9]+)?$/ { next }

{
    now = seconds($1)
    start = substr($1, 1, 15) "0:00"
    # A window has closed once the watermark has reached its last millisecond. Times are whole minutes here, so that is
    # when the watermark, five minutes behind the newest reading, has reached its end.
    if (seconds(start) + 600 <= watermark) { late++; next }
    value = $2 + 0
    if (!(start in count) || value < least[start]) least[start] = value
    if (!(start in count) || value > most[start]) most[start] = value
    count[start]++
    total[start] += value
    if (now - 300 > watermark) watermark = now - 300
}

END {
    for (start in count)
        printf "%s,%d,%.17g,%.17g,%.17g\n", start, count[start], total[start], least[start], most[start]
    printf "late,%d\n", late
}
