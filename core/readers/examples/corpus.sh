#!/bin/sh
# Makes the corpus that examples/corpus.rs measures: real files in DIR/raw/FORMAT, reference texts in DIR/ref/FORMAT.
# usage: corpus.sh DIR PACKAGES    on a Debian machine with libreoffice, pandoc, poppler-utils and python3.
# PACKAGES names Debian packages, one a line; those that hold a format are found with
#   zcat Contents-all.gz | grep -iE '\.(pdf|docx|xlsx|ods|odt|pptx|epub|eml|mbox)(\.gz)? '
set -u
dir=$1
packages=$2
most=260
mkdir -p "$dir/debs" "$dir/x"
for e in pdf docx xlsx ods odt odp pptx epub eml mbox html csv; do mkdir -p "$dir/raw/$e" "$dir/ref/$e"; done

if [ ! -e "$dir/unpack.done" ]; then
    (cd "$dir/debs" && xargs -n 20 apt-get download -qq) <"$packages"
    for deb in "$dir"/debs/*.deb; do
        name=$(basename "$deb" | cut -d_ -f1)
        mkdir -p "$dir/x/$name"
        dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$dir/x/$name" --no-same-owner
        find "$dir/x/$name" -name '*.gz' -type f -exec gunzip -qf {} \;
        for e in pdf docx xlsx ods odt odp pptx epub eml mbox html csv; do
            case $e in eml) max=150 ;; pdf | html | csv) max=4 ;; *) max=40 ;; esac
            find "$dir/x/$name" -name "*.$e" -type f -size -20M -size +0 | sort | head -n $max | nl -s' ' | while read -r n f; do
                cp "$f" "$dir/raw/$e/$name-$n.$e"
            done
        done
        rm -rf "$dir/x/$name"
    done
    touch "$dir/unpack.done"
fi

# Real producers make what packages hold too little of.
have() { ls "$dir/raw/$1" | wc -l; }
office() { # to, output folder, files...
    to=$1 out=$2
    shift 2
    timeout 600 soffice "-env:UserInstallation=file://$dir/profile" --headless --convert-to "$to" --outdir "$out" "$@" >/dev/null 2>&1
}
if [ ! -e "$dir/made.done" ]; then
    ls "$dir"/raw/ods/*.ods | head -200 | xargs -r -n 40 | while read -r files; do office xlsx "$dir/raw/xlsx" $files; done
    ls "$dir"/raw/odt/*.odt | head -130 | xargs -r -n 30 | while read -r files; do office docx "$dir/raw/docx" $files; done
    find "$dir"/raw/html -name '*.html' -size +3k -size -200k | sort >"$dir/pages"
    sed -n '1~3p' "$dir/pages" | head -60 | xargs -r -n 30 | while read -r files; do office docx:'MS Word 2007 XML' "$dir/raw/docx" $files; done
    n=0
    while read -r page && [ $n -lt 200 ]; do
        n=$((n + 1))
        name=$(basename "$page" .html)
        [ $n -le 60 ] && timeout 60 pandoc -f html -t docx -o "$dir/raw/docx/pandoc-$name.docx" "$page" 2>/dev/null
        [ $n -le 120 ] && timeout 60 pandoc -f html -t pptx -o "$dir/raw/pptx/pandoc-$name.pptx" "$page" 2>/dev/null
        [ "$(have epub)" -lt 215 ] && timeout 60 pandoc -f html -t epub -o "$dir/raw/epub/pandoc-$name.epub" "$page" 2>/dev/null
    done <"$dir/pages"
    ls "$dir"/raw/odp/*.odp 2>/dev/null | xargs -r -n 30 | while read -r files; do office pptx "$dir/raw/pptx" $files; done
    # Impress writes its own form of what pandoc made.
    mkdir -p "$dir/raw/impress"
    ls "$dir"/raw/pptx/pandoc-*.pptx | head -100 | xargs -r -n 25 | while read -r files; do office pptx "$dir/raw/impress" $files; done
    for f in "$dir"/raw/impress/*.pptx; do mv "$f" "$dir/raw/pptx/impress-$(basename "$f")"; done
    rmdir "$dir/raw/impress"
    touch "$dir/made.done"
fi

text() { # format, command that writes the text of $f to its output
    ls "$dir/raw/$1" | head -$most | while read -r name; do
        f=$dir/raw/$1/$name
        [ -e "$dir/ref/$1/$name.txt" ] || timeout 120 sh -c "$2" sh "$f" >"$dir/ref/$1/$name.txt" 2>/dev/null
    done
}
cat >"$dir/mail.py" <<'P'
import email, email.policy, re, sys, html
m = email.message_from_bytes(open(sys.argv[1], 'rb').read(), policy=email.policy.default)
print(m.get('subject', ''), m.get('from', ''), m.get('to', ''))
for p in m.walk():
    if p.get_content_type() == 'text/plain':
        try: print(p.get_content())
        except Exception: print(p.get_payload())
P
text pdf 'pdftotext -enc UTF-8 "$1" -'
text html 'pandoc -f html -t plain --wrap=none "$1"'
text docx 'pandoc -f docx -t plain --wrap=none "$1"'
text epub 'pandoc -f epub -t plain --wrap=none "$1"'
text odt 'pandoc -f odt -t plain --wrap=none "$1"'
text eml "python3 $dir/mail.py \"\$1\""
# Sheets: every sheet as text as it is shown; slides: by way of PDF.
all='csv:Text - txt - csv (StarCalc):9,34,76,1,,0,false,true,false,false,false,-1'
for e in xlsx ods; do
    mkdir -p "$dir/csv/$e"
    ls "$dir"/raw/$e/* | head -$most | xargs -r -n 40 | while read -r files; do office "$all" "$dir/csv/$e" $files; done
    for f in "$dir"/raw/$e/*; do
        name=$(basename "$f")
        cat "$dir/csv/$e/${name%.*}"-*.csv >"$dir/ref/$e/$name.txt" 2>/dev/null
    done
done
mkdir -p "$dir/slides"
ls "$dir"/raw/pptx/* | head -$most | xargs -r -n 25 | while read -r files; do office pdf "$dir/slides" $files; done
for f in "$dir"/raw/pptx/*; do
    name=$(basename "$f" .pptx)
    [ -e "$dir/slides/$name.pdf" ] && pdftotext -enc UTF-8 "$dir/slides/$name.pdf" - >"$dir/ref/pptx/$name.pptx.txt"
done
touch "$dir/ref.done"
