# SPDX-License-Identifier: Apache-2.0
# Completion for bash. sallyport itself knows what may stand where the cursor is: it is asked
# with the words up to there, and prints a candidate a line, its meaning behind a tab.

_sallyport() {
    local words=() word i line value kept quote=
    # bash cuts words at ':' and '=' too: IPv6 addresses and --name=value are put together again.
    for ((i = 1; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if ((${#words[@]})) && [[ $word == [:=]* || ${words[-1]} == *[:=] ]]; then
            words[-1]+=$word
        else
            words+=("$word")
        fi
    done
    ((${#words[@]})) || words=("")
    word=${words[-1]}
    case $word in
        \"*|\'*) quote=${word:0:1} words[-1]=${word:1} ;;
    esac
    # Of the word bash replaces what is behind the last of these.
    kept=${words[-1]%"${words[-1]##*[:=]}"}
    COMPREPLY=()
    while IFS= read -r line; do
        value=${line%%$'\t'*}
        case $line in
            :files)
                mapfile -O "${#COMPREPLY[@]}" -t COMPREPLY < <(compgen -f -- "${words[-1]##*=}")
                compopt -o filenames 2>/dev/null ;;
            :dirs)
                mapfile -O "${#COMPREPLY[@]}" -t COMPREPLY < <(compgen -d -- "${words[-1]##*=}")
                compopt -o filenames 2>/dev/null ;;
            *)
                value=${value#"$kept"}
                # A name is somebody's text: within what is quoted already it may end the
                # quotes, and "$(...)" would be obeyed.
                case $quote in
                    \") value=${value//\\/\\\\} value=${value//\"/\\\"}
                        value=${value//\$/\\\$} value=${value//\`/\\\`} ;;
                    \') value=${value//\'/\'\\\'\'} ;;
                    *) printf -v value %q "$value" ;;
                esac
                COMPREPLY+=("$value") ;;
        esac
    done < <("${COMP_WORDS[0]}" complete "${words[@]}" 2>/dev/null)
}
complete -F _sallyport sallyport
