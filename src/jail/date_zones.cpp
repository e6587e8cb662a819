// SPDX-License-Identifier: Apache-2.0
// Names of time zones in logs. Each is one offset, as fail2ban takes it: where a name
// means several (CST, IST), and in summer, a log should carry the offset itself.
#include "jail/date_fields.h"

#include <array>
#include <utility>

namespace sallyport::jail {

namespace {

struct Offset {
    int minutes;
    std::string_view names; // separated by spaces
};

constexpr std::array<Offset, 38> kOffsets = {{
    {-720, "Y"},
    {-660, "X NUT SST"},
    {-600, "W CKT HAST HST TAHT TKT"},
    {-570, "MART MIT"},
    {-540, "V AKST GAMT GIT HADT HNY"},
    {-480, "U AKDT CIST HAY HNP PST PT"},
    {-420, "T HAP HNR MST PDT"},
    {-360, "S CST EAST GALT HAR HNC MDT"},
    {-300, "R CDT COT EASST ECT EST ET HAC HNE PET"},
    {-270, "HLV VET"},
    {-240, "Q AST BOT CLT COST EDT FKT GYT HAE HNA PYT"},
    {-210, "HNT NST NT"},
    {-180, "P ADT ART BRT CLST FKST GFT HAA PMST PYST SRT UYT WGT"},
    {-150, "HAT NDT"},
    {-120, "O BRST FNT PMDT UYST WGST"},
    {-60, "N AZOT CVT EGT"},
    {0, "Z EGST GMT UTC WET WT"},
    {60, "A CET DFT WAT WEDT WEST"},
    {120, "B CAT CEDT CEST EET SAST WAST"},
    {180, "C EAT EEDT EEST IDT MSK"},
    {210, "IRST"},
    {240, "D AMT AZT GET GST KUYT MSD MUT RET SAMT SCT"},
    {270, "AFT IRDT"},
    {300, "E AMST AQTT AZST HMT MAWT MVT PKT TFT TJT TMT UZT YEKT"},
    {330, "SLT"},
    {345, "NPT"},
    {360, "F ALMT BIOT BTT IOT KGT NOVT OMST YEKST"},
    {390, "CCT MMT"},
    {420, "G CXT DAVT HOVT ICT KRAT NOVST OMSST THA WIB"},
    {480, "H ACT AWST BDT BNT HKT IRKT KRAST MYT PHT SGT ULAT WITA WST"},
    {540, "I AWDT IRKST JST KST PWT TLT WDT WIT YAKT"},
    {570, "ACST"},
    {600, "K AEST PGT VLAT YAKST YAPT"},
    {630, "ACDT LHST"},
    {660, "L AEDT LHDT MAGT NCT PONT SBT VLAST VUT"},
    {690, "NFT"},
    {720, "M ANAST ANAT FJT GILT MAGST MHT NZST PETST PETT TVT WFT"},
    {780, "FJST NZDT"},
}};

std::optional<int> named(std::string_view name) {
    if (name.empty()) return 0;
    for (const Offset& offset : kOffsets) {
        std::string_view rest = offset.names;
        while (!rest.empty()) {
            const std::size_t space = rest.find(' ');
            if (rest.substr(0, space) == name) return offset.minutes;
            rest.remove_prefix(space == std::string_view::npos ? rest.size() : space + 1);
        }
    }
    return std::nullopt;
}

} // namespace

std::optional<int> parse_zone(std::string_view text) {
    const std::size_t sign = text.find_first_of("+-");
    const std::optional<int> base = named(text.substr(0, sign));
    if (!base || sign == std::string_view::npos) return base;
    int digits[4] = {0, 0, 0, 0};
    std::size_t count = 0;
    for (const char c : text.substr(sign + 1)) {
        if (c == ':' && count == 2) continue;
        if (c < '0' || c > '9' || count == 4) return std::nullopt;
        digits[count++] = c - '0';
    }
    if (count != 2 && count != 4) return std::nullopt;
    const int minutes = (digits[0] * 10 + digits[1]) * 60 + digits[2] * 10 + digits[3];
    return *base + (text[sign] == '-' ? -minutes : minutes);
}

} // namespace sallyport::jail
