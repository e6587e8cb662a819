# SPDX-License-Identifier: Apache-2.0
# Completion for fish: sallyport is asked, as in the completion for bash.

function __sallyport_candidates
    set -l words (commandline -opc)
    set -l word (commandline -ct)
    # Of --name=value the value alone is a file's.
    set -l option (string match -r -- '^--[^=]*=' $word)
    set -l begun (string replace -r -- '^--[^=]*=' '' $word)
    for line in ($words[1] complete $words[2..-1] "$word" 2>/dev/null)
        switch $line
            case ':files'
                string replace -r '^' -- "$option" (__fish_complete_path $begun)
            case ':dirs'
                string replace -r '^' -- "$option" (__fish_complete_directories $begun)
            case '*'
                echo $line
        end
    end
end

complete -c sallyport -f -a '(__sallyport_candidates)'
