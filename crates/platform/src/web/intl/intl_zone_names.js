// Time zones in English, from CLDR 48. Each list is taken apart when it is first needed.

// The zones that are offered, without those that are only other names of them.
const ZONES =
  'Africa/Abidjan Africa/Accra Africa/Addis_Ababa Africa/Algiers Africa/Asmera Africa/Bamako Africa/Bangui ' +
  'Africa/Banjul Africa/Bissau Africa/Blantyre Africa/Brazzaville Africa/Bujumbura Africa/Cairo ' +
  'Africa/Casablanca Africa/Ceuta Africa/Conakry Africa/Dakar Africa/Dar_es_Salaam Africa/Djibouti Africa/Douala ' +
  'Africa/El_Aaiun Africa/Freetown Africa/Gaborone Africa/Harare Africa/Johannesburg Africa/Juba Africa/Kampala ' +
  'Africa/Khartoum Africa/Kigali Africa/Kinshasa Africa/Lagos Africa/Libreville Africa/Lome Africa/Luanda ' +
  'Africa/Lubumbashi Africa/Lusaka Africa/Malabo Africa/Maputo Africa/Maseru Africa/Mbabane Africa/Mogadishu ' +
  'Africa/Monrovia Africa/Nairobi Africa/Ndjamena Africa/Niamey Africa/Nouakchott Africa/Ouagadougou ' +
  'Africa/Porto-Novo Africa/Sao_Tome Africa/Tripoli Africa/Tunis Africa/Windhoek America/Adak America/Anchorage ' +
  'America/Anguilla America/Antigua America/Araguaina America/Argentina/La_Rioja America/Argentina/Rio_Gallegos ' +
  'America/Argentina/Salta America/Argentina/San_Juan America/Argentina/San_Luis America/Argentina/Tucuman ' +
  'America/Argentina/Ushuaia America/Aruba America/Asuncion America/Bahia America/Bahia_Banderas ' +
  'America/Barbados America/Belem America/Belize America/Blanc-Sablon America/Boa_Vista America/Bogota ' +
  'America/Boise America/Buenos_Aires America/Cambridge_Bay America/Campo_Grande America/Cancun America/Caracas ' +
  'America/Catamarca America/Cayenne America/Cayman America/Chicago America/Chihuahua America/Ciudad_Juarez ' +
  'America/Coral_Harbour America/Cordoba America/Costa_Rica America/Coyhaique America/Creston America/Cuiaba ' +
  'America/Curacao America/Danmarkshavn America/Dawson America/Dawson_Creek America/Denver America/Detroit ' +
  'America/Dominica America/Edmonton America/Eirunepe America/El_Salvador America/Fort_Nelson America/Fortaleza ' +
  'America/Glace_Bay America/Godthab America/Goose_Bay America/Grand_Turk America/Grenada America/Guadeloupe ' +
  'America/Guatemala America/Guayaquil America/Guyana America/Halifax America/Havana America/Hermosillo ' +
  'America/Indiana/Knox America/Indiana/Marengo America/Indiana/Petersburg America/Indiana/Tell_City ' +
  'America/Indiana/Vevay America/Indiana/Vincennes America/Indiana/Winamac America/Indianapolis America/Inuvik ' +
  'America/Iqaluit America/Jamaica America/Jujuy America/Juneau America/Kentucky/Monticello America/Kralendijk ' +
  'America/La_Paz America/Lima America/Los_Angeles America/Louisville America/Lower_Princes America/Maceio ' +
  'America/Managua America/Manaus America/Marigot America/Martinique America/Matamoros America/Mazatlan ' +
  'America/Mendoza America/Menominee America/Merida America/Metlakatla America/Mexico_City America/Miquelon ' +
  'America/Moncton America/Monterrey America/Montevideo America/Montserrat America/Nassau America/New_York ' +
  'America/Nome America/Noronha America/North_Dakota/Beulah America/North_Dakota/Center ' +
  'America/North_Dakota/New_Salem America/Ojinaga America/Panama America/Paramaribo America/Phoenix ' +
  'America/Port-au-Prince America/Port_of_Spain America/Porto_Velho America/Puerto_Rico America/Punta_Arenas ' +
  'America/Rankin_Inlet America/Recife America/Regina America/Resolute America/Rio_Branco America/Santarem ' +
  'America/Santiago America/Santo_Domingo America/Sao_Paulo America/Scoresbysund America/Sitka ' +
  'America/St_Barthelemy America/St_Johns America/St_Kitts America/St_Lucia America/St_Thomas America/St_Vincent ' +
  'America/Swift_Current America/Tegucigalpa America/Thule America/Tijuana America/Toronto America/Tortola ' +
  'America/Vancouver America/Whitehorse America/Winnipeg America/Yakutat Antarctica/Casey Antarctica/Davis ' +
  'Antarctica/DumontDUrville Antarctica/Macquarie Antarctica/Mawson Antarctica/McMurdo Antarctica/Palmer ' +
  'Antarctica/Rothera Antarctica/Syowa Antarctica/Troll Antarctica/Vostok Arctic/Longyearbyen Asia/Aden ' +
  'Asia/Almaty Asia/Amman Asia/Anadyr Asia/Aqtau Asia/Aqtobe Asia/Ashgabat Asia/Atyrau Asia/Baghdad Asia/Bahrain ' +
  'Asia/Baku Asia/Bangkok Asia/Barnaul Asia/Beirut Asia/Bishkek Asia/Brunei Asia/Calcutta Asia/Chita ' +
  'Asia/Colombo Asia/Damascus Asia/Dhaka Asia/Dili Asia/Dubai Asia/Dushanbe Asia/Famagusta Asia/Gaza Asia/Hebron ' +
  'Asia/Hong_Kong Asia/Hovd Asia/Irkutsk Asia/Jakarta Asia/Jayapura Asia/Jerusalem Asia/Kabul Asia/Kamchatka ' +
  'Asia/Karachi Asia/Katmandu Asia/Khandyga Asia/Krasnoyarsk Asia/Kuala_Lumpur Asia/Kuching Asia/Kuwait ' +
  'Asia/Macau Asia/Magadan Asia/Makassar Asia/Manila Asia/Muscat Asia/Nicosia Asia/Novokuznetsk Asia/Novosibirsk ' +
  'Asia/Omsk Asia/Oral Asia/Phnom_Penh Asia/Pontianak Asia/Pyongyang Asia/Qatar Asia/Qostanay Asia/Qyzylorda ' +
  'Asia/Rangoon Asia/Riyadh Asia/Saigon Asia/Sakhalin Asia/Samarkand Asia/Seoul Asia/Shanghai Asia/Singapore ' +
  'Asia/Srednekolymsk Asia/Taipei Asia/Tashkent Asia/Tbilisi Asia/Tehran Asia/Thimphu Asia/Tokyo Asia/Tomsk ' +
  'Asia/Ulaanbaatar Asia/Urumqi Asia/Ust-Nera Asia/Vientiane Asia/Vladivostok Asia/Yakutsk Asia/Yekaterinburg ' +
  'Asia/Yerevan Atlantic/Azores Atlantic/Bermuda Atlantic/Canary Atlantic/Cape_Verde Atlantic/Faeroe ' +
  'Atlantic/Madeira Atlantic/Reykjavik Atlantic/South_Georgia Atlantic/St_Helena Atlantic/Stanley ' +
  'Australia/Adelaide Australia/Brisbane Australia/Broken_Hill Australia/Darwin Australia/Eucla Australia/Hobart ' +
  'Australia/Lindeman Australia/Lord_Howe Australia/Melbourne Australia/Perth Australia/Sydney Europe/Amsterdam ' +
  'Europe/Andorra Europe/Astrakhan Europe/Athens Europe/Belgrade Europe/Berlin Europe/Bratislava Europe/Brussels ' +
  'Europe/Bucharest Europe/Budapest Europe/Busingen Europe/Chisinau Europe/Copenhagen Europe/Dublin ' +
  'Europe/Gibraltar Europe/Guernsey Europe/Helsinki Europe/Isle_of_Man Europe/Istanbul Europe/Jersey ' +
  'Europe/Kaliningrad Europe/Kiev Europe/Kirov Europe/Lisbon Europe/Ljubljana Europe/London Europe/Luxembourg ' +
  'Europe/Madrid Europe/Malta Europe/Mariehamn Europe/Minsk Europe/Monaco Europe/Moscow Europe/Oslo Europe/Paris ' +
  'Europe/Podgorica Europe/Prague Europe/Riga Europe/Rome Europe/Samara Europe/San_Marino Europe/Sarajevo ' +
  'Europe/Saratov Europe/Simferopol Europe/Skopje Europe/Sofia Europe/Stockholm Europe/Tallinn Europe/Tirane ' +
  'Europe/Ulyanovsk Europe/Vaduz Europe/Vatican Europe/Vienna Europe/Vilnius Europe/Volgograd Europe/Warsaw ' +
  'Europe/Zagreb Europe/Zurich Indian/Antananarivo Indian/Chagos Indian/Christmas Indian/Cocos Indian/Comoro ' +
  'Indian/Kerguelen Indian/Mahe Indian/Maldives Indian/Mauritius Indian/Mayotte Indian/Reunion Pacific/Apia ' +
  'Pacific/Auckland Pacific/Bougainville Pacific/Chatham Pacific/Easter Pacific/Efate Pacific/Enderbury ' +
  'Pacific/Fakaofo Pacific/Fiji Pacific/Funafuti Pacific/Galapagos Pacific/Gambier Pacific/Guadalcanal ' +
  'Pacific/Guam Pacific/Honolulu Pacific/Kiritimati Pacific/Kosrae Pacific/Kwajalein Pacific/Majuro ' +
  'Pacific/Marquesas Pacific/Midway Pacific/Nauru Pacific/Niue Pacific/Norfolk Pacific/Noumea Pacific/Pago_Pago ' +
  'Pacific/Palau Pacific/Pitcairn Pacific/Ponape Pacific/Port_Moresby Pacific/Rarotonga Pacific/Saipan ' +
  'Pacific/Tahiti Pacific/Tarawa Pacific/Tongatapu Pacific/Truk Pacific/Wake Pacific/Wallis';
// Other names of the zones before the equals signs.
const LINKS =
  'Africa/Asmera=Africa/Asmara;Africa/Bamako=Africa/Timbuktu;America/Buenos_Aires=America/Argentina/Buenos_Aires;' +
  'America/Catamarca=America/Argentina/Catamarca America/Argentina/ComodRivadavia;' +
  'America/Cordoba=America/Argentina/Cordoba America/Rosario;America/Jujuy=America/Argentina/Jujuy;' +
  'America/Mendoza=America/Argentina/Mendoza;America/Coral_Harbour=America/Atikokan;America/Adak=America/Atka ' +
  'US/Aleutian;America/Tijuana=America/Ensenada America/Santa_Isabel Mexico/BajaNorte;' +
  'America/Indianapolis=America/Fort_Wayne America/Indiana/Indianapolis US/East-Indiana;' +
  'America/Louisville=America/Kentucky/Louisville;America/Indiana/Knox=America/Knox_IN US/Indiana-Starke;' +
  'America/Toronto=America/Montreal America/Nipigon America/Thunder_Bay Canada/Eastern;' +
  'America/Godthab=America/Nuuk;America/Iqaluit=America/Pangnirtung;America/Rio_Branco=America/Porto_Acre ' +
  'Brazil/Acre;America/Winnipeg=America/Rainy_River Canada/Central;America/Denver=America/Shiprock MST7MDT ' +
  'Navajo US/Mountain;America/St_Thomas=America/Virgin;America/Edmonton=America/Yellowknife Canada/Mountain;' +
  'Antarctica/McMurdo=Antarctica/South_Pole;Asia/Ashgabat=Asia/Ashkhabad;Asia/Ulaanbaatar=Asia/Choibalsan ' +
  'Asia/Ulan_Bator;Asia/Shanghai=Asia/Chongqing Asia/Chungking Asia/Harbin PRC;Asia/Dhaka=Asia/Dacca;' +
  'Asia/Saigon=Asia/Ho_Chi_Minh;Europe/Istanbul=Asia/Istanbul Turkey;Asia/Urumqi=Asia/Kashgar;' +
  'Asia/Katmandu=Asia/Kathmandu;Asia/Calcutta=Asia/Kolkata;Asia/Macau=Asia/Macao;Asia/Jerusalem=Asia/Tel_Aviv ' +
  'Israel;Asia/Thimphu=Asia/Thimbu;Asia/Makassar=Asia/Ujung_Pandang;Asia/Rangoon=Asia/Yangon;' +
  'Atlantic/Faeroe=Atlantic/Faroe;Arctic/Longyearbyen=Atlantic/Jan_Mayen;Australia/Sydney=Australia/ACT ' +
  'Australia/Canberra Australia/NSW;Australia/Hobart=Australia/Currie Australia/Tasmania;' +
  'Australia/Lord_Howe=Australia/LHI;Australia/Darwin=Australia/North;Australia/Brisbane=Australia/Queensland;' +
  'Australia/Adelaide=Australia/South;Australia/Melbourne=Australia/Victoria;Australia/Perth=Australia/West;' +
  'Australia/Broken_Hill=Australia/Yancowinna;America/Noronha=Brazil/DeNoronha;America/Sao_Paulo=Brazil/East;' +
  'America/Manaus=Brazil/West;Europe/Brussels=CET MET;America/Chicago=CST6CDT US/Central;' +
  'America/Halifax=Canada/Atlantic;America/St_Johns=Canada/Newfoundland;America/Vancouver=Canada/Pacific;' +
  'America/Regina=Canada/Saskatchewan;America/Whitehorse=Canada/Yukon;America/Santiago=Chile/Continental;' +
  'Pacific/Easter=Chile/EasterIsland;America/Havana=Cuba;Europe/Athens=EET;America/Panama=EST;' +
  'America/New_York=EST5EDT US/Eastern;Africa/Cairo=Egypt;Europe/Dublin=Eire;UTC=Etc/GMT Etc/GMT+0 Etc/GMT-0 ' +
  'Etc/GMT0 Etc/Greenwich Etc/UCT Etc/UTC Etc/Universal Etc/Zulu GMT GMT+0 GMT-0 GMT0 Greenwich UCT Universal ' +
  'Zulu;Europe/London=Europe/Belfast GB GB-Eire;Europe/Kiev=Europe/Kyiv Europe/Uzhgorod Europe/Zaporozhye;' +
  'Asia/Nicosia=Europe/Nicosia;Europe/Chisinau=Europe/Tiraspol;Pacific/Honolulu=HST Pacific/Johnston US/Hawaii;' +
  'Asia/Hong_Kong=Hongkong;Atlantic/Reykjavik=Iceland;Asia/Tehran=Iran;America/Jamaica=Jamaica;Asia/Tokyo=Japan;' +
  'Pacific/Kwajalein=Kwajalein;Africa/Tripoli=Libya;America/Phoenix=MST US/Arizona;' +
  'America/Mazatlan=Mexico/BajaSur;America/Mexico_City=Mexico/General;Pacific/Auckland=NZ;' +
  'Pacific/Chatham=NZ-CHAT;America/Los_Angeles=PST8PDT US/Pacific;Pacific/Truk=Pacific/Chuuk Pacific/Yap;' +
  'Pacific/Enderbury=Pacific/Kanton;Pacific/Ponape=Pacific/Pohnpei;Pacific/Pago_Pago=Pacific/Samoa US/Samoa;' +
  'Europe/Warsaw=Poland;Europe/Lisbon=Portugal WET;Asia/Taipei=ROC;Asia/Seoul=ROK;Asia/Singapore=Singapore;' +
  'America/Anchorage=US/Alaska;America/Detroit=US/Michigan;Europe/Moscow=W-SU';
// For standard time, for daylight saving time if it differs, for both if that differs from the first, and the same in
// short for the first two; then the zones that are called so.
const NAMES =
  'Acre Standard Time||||=America/Eirunepe America/Rio_Branco;Afghanistan Time||||=Asia/Kabul;Alaska Standard ' +
  'Time|Alaska Daylight Time|Alaska Time|AKST|AKDT=America/Anchorage America/Juneau America/Metlakatla ' +
  'America/Nome America/Sitka America/Yakutat;Amazon Standard Time||||=America/Boa_Vista America/Campo_Grande ' +
  'America/Cuiaba America/Manaus America/Porto_Velho;American Samoa Standard Time||||=Pacific/Midway ' +
  'Pacific/Pago_Pago;Arabian Standard Time||||=Asia/Aden Asia/Baghdad Asia/Bahrain Asia/Kuwait Asia/Qatar ' +
  'Asia/Riyadh;Argentina Standard Time||||=America/Argentina/La_Rioja America/Argentina/Rio_Gallegos ' +
  'America/Argentina/Salta America/Argentina/San_Juan America/Argentina/San_Luis America/Argentina/Tucuman ' +
  'America/Argentina/Ushuaia America/Buenos_Aires America/Catamarca America/Cordoba America/Jujuy ' +
  'America/Mendoza;Armenia Standard Time||||=Asia/Yerevan;Atlantic Standard Time|Atlantic Daylight Time|Atlantic ' +
  'Time|AST|ADT=America/Glace_Bay America/Goose_Bay America/Halifax America/Moncton America/Thule ' +
  'Atlantic/Bermuda;Atlantic Standard Time|||AST|=America/Anguilla America/Antigua America/Aruba ' +
  'America/Barbados America/Blanc-Sablon America/Curacao America/Dominica America/Grenada America/Guadeloupe ' +
  'America/Kralendijk America/Lower_Princes America/Marigot America/Martinique America/Montserrat ' +
  'America/Port_of_Spain America/Puerto_Rico America/Santo_Domingo America/St_Barthelemy America/St_Kitts ' +
  'America/St_Lucia America/St_Thomas America/St_Vincent America/Tortola;Australian Central Standard ' +
  'Time|Australian Central Daylight Time|Australian Central Time||=Australia/Adelaide Australia/Broken_Hill;' +
  'Australian Central Standard Time||||=Australia/Darwin;Australian Central Western Standard ' +
  'Time||||=Australia/Eucla;Australian Eastern Standard Time|Australian Eastern Daylight Time|Australian Eastern ' +
  'Time||=Antarctica/Macquarie Australia/Hobart Australia/Melbourne Australia/Sydney;Australian Eastern Standard ' +
  'Time||||=Australia/Brisbane Australia/Lindeman;Australian Western Standard Time||||=Antarctica/Casey ' +
  'Australia/Perth;Azerbaijan Standard Time||||=Asia/Baku;Azores Standard Time|Azores Summer Time|Azores ' +
  'Time||=Atlantic/Azores;Bangladesh Standard Time||||=Asia/Dhaka;Bhutan Time||||=Asia/Thimphu;Bolivia ' +
  'Time||||=America/La_Paz;Brasilia Standard Time||||=America/Araguaina America/Bahia America/Belem ' +
  'America/Fortaleza America/Maceio America/Recife America/Santarem America/Sao_Paulo;Brunei ' +
  'Time||||=Asia/Brunei;Cape Verde Standard Time||||=Atlantic/Cape_Verde;Central Africa Time||||=Africa/Blantyre ' +
  'Africa/Bujumbura Africa/Gaborone Africa/Harare Africa/Juba Africa/Khartoum Africa/Kigali Africa/Lubumbashi ' +
  'Africa/Lusaka Africa/Maputo Africa/Windhoek;Central European Standard Time|Central European Summer ' +
  'Time|Central European Time||=Africa/Ceuta Arctic/Longyearbyen Europe/Amsterdam Europe/Andorra Europe/Belgrade ' +
  'Europe/Berlin Europe/Bratislava Europe/Brussels Europe/Budapest Europe/Busingen Europe/Copenhagen ' +
  'Europe/Gibraltar Europe/Ljubljana Europe/Luxembourg Europe/Madrid Europe/Malta Europe/Monaco Europe/Oslo ' +
  'Europe/Paris Europe/Podgorica Europe/Prague Europe/Rome Europe/San_Marino Europe/Sarajevo Europe/Skopje ' +
  'Europe/Stockholm Europe/Tirane Europe/Vaduz Europe/Vatican Europe/Vienna Europe/Warsaw Europe/Zagreb ' +
  'Europe/Zurich;Central European Standard Time||||=Africa/Algiers Africa/Tunis;Central Indonesia ' +
  'Time||||=Asia/Makassar;Central Standard Time|Central Daylight Time|Central Time|CST|CDT=America/Chicago ' +
  'America/Indiana/Knox America/Indiana/Tell_City America/Matamoros America/Menominee ' +
  'America/North_Dakota/Beulah America/North_Dakota/Center America/North_Dakota/New_Salem America/Ojinaga ' +
  'America/Rankin_Inlet America/Resolute America/Winnipeg;Central Standard Time|||CST|=America/Bahia_Banderas ' +
  'America/Belize America/Chihuahua America/Costa_Rica America/El_Salvador America/Guatemala America/Managua ' +
  'America/Merida America/Mexico_City America/Monterrey America/Regina America/Swift_Current America/Tegucigalpa;' +
  'Chamorro Standard Time||||=Pacific/Guam Pacific/Saipan;Chatham Standard Time|Chatham Daylight Time|Chatham ' +
  'Time||=Pacific/Chatham;Chile Standard Time|Chile Summer Time|Chile Time||=America/Santiago;China Standard ' +
  'Time||||=Asia/Macau Asia/Shanghai;Christmas Island Time||||=Indian/Christmas;Chuuk Time||||=Pacific/Truk;' +
  'Cocos Islands Time||||=Indian/Cocos;Colombia Standard Time||||=America/Bogota;Cook Islands Standard ' +
  'Time||||=Pacific/Rarotonga;Coordinated Universal Time||GMT+00:00|UTC|=UTC;Cuba Standard Time|Cuba Daylight ' +
  'Time|Cuba Time||=America/Havana;Davis Time||||=Antarctica/Davis;Dumont d’Urville ' +
  'Time||||=Antarctica/DumontDUrville;East Africa Time||||=Africa/Addis_Ababa Africa/Asmera Africa/Dar_es_Salaam ' +
  'Africa/Djibouti Africa/Kampala Africa/Mogadishu Africa/Nairobi Indian/Antananarivo Indian/Comoro ' +
  'Indian/Mayotte;Easter Island Standard Time|Easter Island Summer Time|Easter Island Time||=Pacific/Easter;' +
  'Eastern European Standard Time|Eastern European Summer Time|Eastern European Time||=Africa/Cairo Asia/Beirut ' +
  'Asia/Famagusta Asia/Gaza Asia/Hebron Asia/Nicosia Europe/Athens Europe/Bucharest Europe/Chisinau ' +
  'Europe/Helsinki Europe/Kiev Europe/Mariehamn Europe/Riga Europe/Sofia Europe/Tallinn Europe/Vilnius;Eastern ' +
  'European Standard Time||||=Africa/Tripoli Europe/Kaliningrad;Eastern Indonesia Time||||=Asia/Jayapura;Eastern ' +
  'Standard Time|Eastern Daylight Time|Eastern Time|EST|EDT=America/Detroit America/Grand_Turk ' +
  'America/Indiana/Marengo America/Indiana/Petersburg America/Indiana/Vevay America/Indiana/Vincennes ' +
  'America/Indiana/Winamac America/Indianapolis America/Iqaluit America/Kentucky/Monticello America/Louisville ' +
  'America/Nassau America/New_York America/Port-au-Prince America/Toronto;Eastern Standard ' +
  'Time|||EST|=America/Cancun America/Cayman America/Coral_Harbour America/Jamaica America/Panama;Ecuador ' +
  'Time||||=America/Guayaquil;Falkland Islands Standard Time||||=Atlantic/Stanley;Fernando de Noronha Standard ' +
  'Time||||=America/Noronha;Fiji Standard Time||||=Pacific/Fiji;French Guiana Time||||=America/Cayenne;French ' +
  'Southern & Antarctic Time||||=Indian/Kerguelen;Galapagos Time||||=Pacific/Galapagos;Gambier ' +
  'Time||||=Pacific/Gambier;Georgia Standard Time||||=Asia/Tbilisi;Gilbert Islands Time||||=Pacific/Tarawa;' +
  'Greenland Standard Time|Greenland Summer Time|Greenland Time||=America/Godthab America/Scoresbysund;Greenwich ' +
  'Mean Time|British Summer Time|United Kingdom Time|GMT|GMT+1=Europe/London;Greenwich Mean ' +
  'Time|GMT+01:00|Guernsey Time|GMT|GMT+1=Europe/Guernsey;Greenwich Mean Time|GMT+01:00|Isle of Man ' +
  'Time|GMT|GMT+1=Europe/Isle_of_Man;Greenwich Mean Time|GMT+01:00|Jersey Time|GMT|GMT+1=Europe/Jersey;Greenwich ' +
  'Mean Time|GMT+02:00|Troll Station Time|GMT|GMT+2=Antarctica/Troll;Greenwich Mean Time|Irish Standard ' +
  'Time|Ireland Time|GMT|GMT+1=Europe/Dublin;Greenwich Mean Time|||GMT|=Africa/Abidjan Africa/Accra ' +
  'Africa/Bamako Africa/Banjul Africa/Bissau Africa/Conakry Africa/Dakar Africa/Freetown Africa/Lome ' +
  'Africa/Monrovia Africa/Nouakchott Africa/Ouagadougou Africa/Sao_Tome America/Danmarkshavn Atlantic/Reykjavik ' +
  'Atlantic/St_Helena;Gulf Standard Time||||=Asia/Dubai Asia/Muscat;Guyana Time||||=America/Guyana;' +
  'Hawaii-Aleutian Standard Time|Hawaii-Aleutian Daylight Time|Hawaii-Aleutian Time|HAST|HADT=America/Adak;' +
  'Hawaii-Aleutian Standard Time|||HST|=Pacific/Honolulu;Hong Kong Standard Time||||=Asia/Hong_Kong;India ' +
  'Standard Time||||=Asia/Calcutta Asia/Colombo;Indian Ocean Time||||=Indian/Chagos;Indochina ' +
  'Time||||=Asia/Bangkok Asia/Phnom_Penh Asia/Saigon Asia/Vientiane;Iran Standard Time||||=Asia/Tehran;Irkutsk ' +
  'Standard Time||||=Asia/Irkutsk;Israel Standard Time|Israel Daylight Time|Israel Time||=Asia/Jerusalem;Japan ' +
  'Standard Time||||=Asia/Tokyo;Kamchatka Standard Time||||=Asia/Anadyr Asia/Kamchatka;Kazakhstan ' +
  'Time||||=Asia/Almaty Asia/Aqtau Asia/Aqtobe Asia/Atyrau Asia/Oral Asia/Qostanay Asia/Qyzylorda;Khovd Standard ' +
  'Time||||=Asia/Hovd;Korean Standard Time||||=Asia/Pyongyang Asia/Seoul;Kosrae Time||||=Pacific/Kosrae;' +
  'Krasnoyarsk Standard Time||||=Asia/Barnaul Asia/Krasnoyarsk Asia/Novokuznetsk Asia/Novosibirsk Asia/Tomsk;' +
  'Kyrgyzstan Time||||=Asia/Bishkek;Line Islands Time||||=Pacific/Kiritimati;Lord Howe Standard Time|Lord Howe ' +
  'Daylight Time|Lord Howe Time||=Australia/Lord_Howe;Magadan Standard Time||||=Asia/Magadan Asia/Sakhalin ' +
  'Asia/Srednekolymsk;Malaysia Time||||=Asia/Kuala_Lumpur Asia/Kuching;Maldives Time||||=Indian/Maldives;' +
  'Marquesas Time||||=Pacific/Marquesas;Marshall Islands Time||||=Pacific/Kwajalein Pacific/Majuro;Mauritius ' +
  'Standard Time||||=Indian/Mauritius;Mawson Time||||=Antarctica/Mawson;Mexican Pacific Standard ' +
  'Time||||=America/Hermosillo America/Mazatlan;Moscow Standard Time||||=Europe/Kirov Europe/Minsk Europe/Moscow ' +
  'Europe/Simferopol Europe/Volgograd;Mountain Standard Time|Mountain Daylight Time|Mountain ' +
  'Time|MST|MDT=America/Boise America/Cambridge_Bay America/Ciudad_Juarez America/Denver America/Edmonton ' +
  'America/Inuvik;Mountain Standard Time|||MST|=America/Creston America/Dawson_Creek America/Fort_Nelson ' +
  'America/Phoenix;Myanmar Time||||=Asia/Rangoon;Nauru Time||||=Pacific/Nauru;Nepal Time||||=Asia/Katmandu;New ' +
  'Caledonia Standard Time||||=Pacific/Noumea;New Zealand Standard Time|New Zealand Daylight Time|New Zealand ' +
  'Time||=Antarctica/McMurdo Pacific/Auckland;Newfoundland Standard Time|Newfoundland Daylight Time|Newfoundland ' +
  'Time||=America/St_Johns;Niue Time||||=Pacific/Niue;Norfolk Island Standard Time|Norfolk Island Daylight ' +
  'Time|Norfolk Island Time||=Pacific/Norfolk;Omsk Standard Time||||=Asia/Omsk;Pacific Standard Time|Pacific ' +
  'Daylight Time|Pacific Time|PST|PDT=America/Los_Angeles America/Tijuana America/Vancouver;Pakistan Standard ' +
  'Time||||=Asia/Karachi;Palau Time||||=Pacific/Palau;Papua New Guinea Time||||=Pacific/Port_Moresby;Paraguay ' +
  'Standard Time||||=America/Asuncion;Peru Standard Time||||=America/Lima;Philippine Standard ' +
  'Time||||=Asia/Manila;Phoenix Islands Time||||=Pacific/Enderbury;Pitcairn Time||||=Pacific/Pitcairn;Pohnpei ' +
  'Time||||=Pacific/Ponape;Rothera Time||||=Antarctica/Rothera;Réunion Time||||=Indian/Reunion;Samara Standard ' +
  'Time||||=Europe/Astrakhan Europe/Samara Europe/Saratov Europe/Ulyanovsk;Samoa Standard Time||||=Pacific/Apia;' +
  'Seychelles Time||||=Indian/Mahe;Singapore Standard Time||||=Asia/Singapore;Solomon Islands ' +
  'Time||||=Pacific/Guadalcanal;South Africa Standard Time||||=Africa/Johannesburg Africa/Maseru Africa/Mbabane;' +
  'South Georgia Time||||=Atlantic/South_Georgia;St. Pierre & Miquelon Standard Time|St. Pierre & Miquelon ' +
  'Daylight Time|St. Pierre & Miquelon Time||=America/Miquelon;Suriname Time||||=America/Paramaribo;Syowa ' +
  'Time||||=Antarctica/Syowa;Tahiti Time||||=Pacific/Tahiti;Taiwan Standard Time||||=Asia/Taipei;Tajikistan ' +
  'Time||||=Asia/Dushanbe;Timor-Leste Time||||=Asia/Dili;Tokelau Time||||=Pacific/Fakaofo;Tonga Standard ' +
  'Time||||=Pacific/Tongatapu;Turkmenistan Standard Time||||=Asia/Ashgabat;Tuvalu Time||||=Pacific/Funafuti;' +
  'Türkiye Standard Time||||=Europe/Istanbul;Ulaanbaatar Standard Time||||=Asia/Ulaanbaatar;Uruguay Standard ' +
  'Time||||=America/Montevideo;Uzbekistan Standard Time||||=Asia/Samarkand Asia/Tashkent;Vanuatu Standard ' +
  'Time||||=Pacific/Efate;Venezuela Time||||=America/Caracas;Vladivostok Standard Time||||=Asia/Ust-Nera ' +
  'Asia/Vladivostok;Vostok Time||||=Antarctica/Vostok;Wake Island Time||||=Pacific/Wake;Wallis & Futuna ' +
  'Time||||=Pacific/Wallis;West Africa Time||||=Africa/Bangui Africa/Brazzaville Africa/Douala Africa/Kinshasa ' +
  'Africa/Lagos Africa/Libreville Africa/Luanda Africa/Malabo Africa/Ndjamena Africa/Niamey Africa/Porto-Novo;' +
  'Western European Standard Time|Western European Summer Time|Western European Time||=Atlantic/Canary ' +
  'Atlantic/Faeroe Atlantic/Madeira Europe/Lisbon;Western Indonesia Time||||=Asia/Jakarta Asia/Pontianak;Yakutsk ' +
  'Standard Time||||=Asia/Chita Asia/Khandyga Asia/Yakutsk;Yekaterinburg Standard Time||||=Asia/Yekaterinburg;' +
  'Yukon Time||||=America/Dawson America/Whitehorse';
// By region.
const REGIONS =
  'AD=Europe/Andorra;AE=Asia/Dubai;AF=Asia/Kabul;AG=America/Antigua;AI=America/Anguilla;AL=Europe/Tirane;' +
  'AM=Asia/Yerevan;AO=Africa/Luanda;AQ=Antarctica/Casey Antarctica/Davis Antarctica/DumontDUrville ' +
  'Antarctica/Mawson Antarctica/McMurdo Antarctica/Palmer Antarctica/Rothera Antarctica/Syowa Antarctica/Troll ' +
  'Antarctica/Vostok;AR=America/Argentina/La_Rioja America/Argentina/Rio_Gallegos America/Argentina/Salta ' +
  'America/Argentina/San_Juan America/Argentina/San_Luis America/Argentina/Tucuman America/Argentina/Ushuaia ' +
  'America/Buenos_Aires America/Catamarca America/Cordoba America/Jujuy America/Mendoza;AS=Pacific/Pago_Pago;' +
  'AT=Europe/Vienna;AU=Antarctica/Macquarie Australia/Adelaide Australia/Brisbane Australia/Broken_Hill ' +
  'Australia/Darwin Australia/Eucla Australia/Hobart Australia/Lindeman Australia/Lord_Howe Australia/Melbourne ' +
  'Australia/Perth Australia/Sydney;AW=America/Aruba;AX=Europe/Mariehamn;AZ=Asia/Baku;BA=Europe/Sarajevo;' +
  'BB=America/Barbados;BD=Asia/Dhaka;BE=Europe/Brussels;BF=Africa/Ouagadougou;BG=Europe/Sofia;BH=Asia/Bahrain;' +
  'BI=Africa/Bujumbura;BJ=Africa/Porto-Novo;BL=America/St_Barthelemy;BM=Atlantic/Bermuda;BN=Asia/Brunei;' +
  'BO=America/La_Paz;BQ=America/Kralendijk;BR=America/Araguaina America/Bahia America/Belem America/Boa_Vista ' +
  'America/Campo_Grande America/Cuiaba America/Eirunepe America/Fortaleza America/Maceio America/Manaus ' +
  'America/Noronha America/Porto_Velho America/Recife America/Rio_Branco America/Santarem America/Sao_Paulo;' +
  'BS=America/Nassau;BT=Asia/Thimphu;BW=Africa/Gaborone;BY=Europe/Minsk;BZ=America/Belize;' +
  'CA=America/Blanc-Sablon America/Cambridge_Bay America/Coral_Harbour America/Creston America/Dawson ' +
  'America/Dawson_Creek America/Edmonton America/Fort_Nelson America/Glace_Bay America/Goose_Bay America/Halifax ' +
  'America/Inuvik America/Iqaluit America/Moncton America/Rankin_Inlet America/Regina America/Resolute ' +
  'America/St_Johns America/Swift_Current America/Toronto America/Vancouver America/Whitehorse America/Winnipeg;' +
  'CC=Indian/Cocos;CD=Africa/Kinshasa Africa/Lubumbashi;CF=Africa/Bangui;CG=Africa/Brazzaville;CH=Europe/Zurich;' +
  'CI=Africa/Abidjan;CK=Pacific/Rarotonga;CL=America/Coyhaique America/Punta_Arenas America/Santiago ' +
  'Pacific/Easter;CM=Africa/Douala;CN=Asia/Shanghai Asia/Urumqi;CO=America/Bogota;CR=America/Costa_Rica;' +
  'CU=America/Havana;CV=Atlantic/Cape_Verde;CW=America/Curacao;CX=Indian/Christmas;CY=Asia/Famagusta ' +
  'Asia/Nicosia;CZ=Europe/Prague;DE=Europe/Berlin Europe/Busingen;DJ=Africa/Djibouti;DK=Europe/Copenhagen;' +
  'DM=America/Dominica;DO=America/Santo_Domingo;DZ=Africa/Algiers;EC=America/Guayaquil Pacific/Galapagos;' +
  'EE=Europe/Tallinn;EG=Africa/Cairo;EH=Africa/El_Aaiun;ER=Africa/Asmera;ES=Africa/Ceuta Atlantic/Canary ' +
  'Europe/Madrid;ET=Africa/Addis_Ababa;FI=Europe/Helsinki;FJ=Pacific/Fiji;FK=Atlantic/Stanley;FM=Pacific/Kosrae ' +
  'Pacific/Ponape Pacific/Truk;FO=Atlantic/Faeroe;FR=Europe/Paris;GA=Africa/Libreville;GB=Europe/London;' +
  'GD=America/Grenada;GE=Asia/Tbilisi;GF=America/Cayenne;GG=Europe/Guernsey;GH=Africa/Accra;GI=Europe/Gibraltar;' +
  'GL=America/Danmarkshavn America/Godthab America/Scoresbysund America/Thule;GM=Africa/Banjul;GN=Africa/Conakry;' +
  'GP=America/Guadeloupe;GQ=Africa/Malabo;GR=Europe/Athens;GS=Atlantic/South_Georgia;GT=America/Guatemala;' +
  'GU=Pacific/Guam;GW=Africa/Bissau;GY=America/Guyana;HK=Asia/Hong_Kong;HN=America/Tegucigalpa;HR=Europe/Zagreb;' +
  'HT=America/Port-au-Prince;HU=Europe/Budapest;ID=Asia/Jakarta Asia/Jayapura Asia/Makassar Asia/Pontianak;' +
  'IE=Europe/Dublin;IL=Asia/Jerusalem;IM=Europe/Isle_of_Man;IN=Asia/Calcutta;IO=Indian/Chagos;IQ=Asia/Baghdad;' +
  'IR=Asia/Tehran;IS=Atlantic/Reykjavik;IT=Europe/Rome;JE=Europe/Jersey;JM=America/Jamaica;JO=Asia/Amman;' +
  'JP=Asia/Tokyo;KE=Africa/Nairobi;KG=Asia/Bishkek;KH=Asia/Phnom_Penh;KI=Pacific/Enderbury Pacific/Kiritimati ' +
  'Pacific/Tarawa;KM=Indian/Comoro;KN=America/St_Kitts;KP=Asia/Pyongyang;KR=Asia/Seoul;KW=Asia/Kuwait;' +
  'KY=America/Cayman;KZ=Asia/Almaty Asia/Aqtau Asia/Aqtobe Asia/Atyrau Asia/Oral Asia/Qostanay Asia/Qyzylorda;' +
  'LA=Asia/Vientiane;LB=Asia/Beirut;LC=America/St_Lucia;LI=Europe/Vaduz;LK=Asia/Colombo;LR=Africa/Monrovia;' +
  'LS=Africa/Maseru;LT=Europe/Vilnius;LU=Europe/Luxembourg;LV=Europe/Riga;LY=Africa/Tripoli;MA=Africa/Casablanca;' +
  'MC=Europe/Monaco;MD=Europe/Chisinau;ME=Europe/Podgorica;MF=America/Marigot;MG=Indian/Antananarivo;' +
  'MH=Pacific/Kwajalein Pacific/Majuro;MK=Europe/Skopje;ML=Africa/Bamako;MM=Asia/Rangoon;MN=Asia/Hovd ' +
  'Asia/Ulaanbaatar;MO=Asia/Macau;MP=Pacific/Saipan;MQ=America/Martinique;MR=Africa/Nouakchott;' +
  'MS=America/Montserrat;MT=Europe/Malta;MU=Indian/Mauritius;MV=Indian/Maldives;MW=Africa/Blantyre;' +
  'MX=America/Bahia_Banderas America/Cancun America/Chihuahua America/Ciudad_Juarez America/Hermosillo ' +
  'America/Matamoros America/Mazatlan America/Merida America/Mexico_City America/Monterrey America/Ojinaga ' +
  'America/Tijuana;MY=Asia/Kuala_Lumpur Asia/Kuching;MZ=Africa/Maputo;NA=Africa/Windhoek;NC=Pacific/Noumea;' +
  'NE=Africa/Niamey;NF=Pacific/Norfolk;NG=Africa/Lagos;NI=America/Managua;NL=Europe/Amsterdam;NO=Europe/Oslo;' +
  'NP=Asia/Katmandu;NR=Pacific/Nauru;NU=Pacific/Niue;NZ=Pacific/Auckland Pacific/Chatham;OM=Asia/Muscat;' +
  'PA=America/Panama;PE=America/Lima;PF=Pacific/Gambier Pacific/Marquesas Pacific/Tahiti;PG=Pacific/Bougainville ' +
  'Pacific/Port_Moresby;PH=Asia/Manila;PK=Asia/Karachi;PL=Europe/Warsaw;PM=America/Miquelon;PN=Pacific/Pitcairn;' +
  'PR=America/Puerto_Rico;PS=Asia/Gaza Asia/Hebron;PT=Atlantic/Azores Atlantic/Madeira Europe/Lisbon;' +
  'PW=Pacific/Palau;PY=America/Asuncion;QA=Asia/Qatar;RE=Indian/Reunion;RO=Europe/Bucharest;RS=Europe/Belgrade;' +
  'RU=Asia/Anadyr Asia/Barnaul Asia/Chita Asia/Irkutsk Asia/Kamchatka Asia/Khandyga Asia/Krasnoyarsk ' +
  'Asia/Magadan Asia/Novokuznetsk Asia/Novosibirsk Asia/Omsk Asia/Sakhalin Asia/Srednekolymsk Asia/Tomsk ' +
  'Asia/Ust-Nera Asia/Vladivostok Asia/Yakutsk Asia/Yekaterinburg Europe/Astrakhan Europe/Kaliningrad ' +
  'Europe/Kirov Europe/Moscow Europe/Samara Europe/Saratov Europe/Ulyanovsk Europe/Volgograd;RW=Africa/Kigali;' +
  'SA=Asia/Riyadh;SB=Pacific/Guadalcanal;SC=Indian/Mahe;SD=Africa/Khartoum;SE=Europe/Stockholm;SG=Asia/Singapore;' +
  'SH=Atlantic/St_Helena;SI=Europe/Ljubljana;SJ=Arctic/Longyearbyen;SK=Europe/Bratislava;SL=Africa/Freetown;' +
  'SM=Europe/San_Marino;SN=Africa/Dakar;SO=Africa/Mogadishu;SR=America/Paramaribo;SS=Africa/Juba;' +
  'ST=Africa/Sao_Tome;SV=America/El_Salvador;SX=America/Lower_Princes;SY=Asia/Damascus;SZ=Africa/Mbabane;' +
  'TC=America/Grand_Turk;TD=Africa/Ndjamena;TF=Indian/Kerguelen;TG=Africa/Lome;TH=Asia/Bangkok;TJ=Asia/Dushanbe;' +
  'TK=Pacific/Fakaofo;TL=Asia/Dili;TM=Asia/Ashgabat;TN=Africa/Tunis;TO=Pacific/Tongatapu;TR=Europe/Istanbul;' +
  'TT=America/Port_of_Spain;TV=Pacific/Funafuti;TW=Asia/Taipei;TZ=Africa/Dar_es_Salaam;UA=Europe/Kiev ' +
  'Europe/Simferopol;UG=Africa/Kampala;UM=Pacific/Midway Pacific/Wake;US=America/Adak America/Anchorage ' +
  'America/Boise America/Chicago America/Denver America/Detroit America/Indiana/Knox America/Indiana/Marengo ' +
  'America/Indiana/Petersburg America/Indiana/Tell_City America/Indiana/Vevay America/Indiana/Vincennes ' +
  'America/Indiana/Winamac America/Indianapolis America/Juneau America/Kentucky/Monticello America/Los_Angeles ' +
  'America/Louisville America/Menominee America/Metlakatla America/New_York America/Nome ' +
  'America/North_Dakota/Beulah America/North_Dakota/Center America/North_Dakota/New_Salem America/Phoenix ' +
  'America/Sitka America/Yakutat Pacific/Honolulu;UY=America/Montevideo;UZ=Asia/Samarkand Asia/Tashkent;' +
  'VA=Europe/Vatican;VC=America/St_Vincent;VE=America/Caracas;VG=America/Tortola;VI=America/St_Thomas;' +
  'VN=Asia/Saigon;VU=Pacific/Efate;WF=Pacific/Wallis;WS=Pacific/Apia;YE=Asia/Aden;YT=Indian/Mayotte;' +
  'ZA=Africa/Johannesburg;ZM=Africa/Lusaka;ZW=Africa/Harare';

const once = (make) => {
  let made;
  return () => (made ??= make());
};
/** From each word after an equals sign to what is before it. */
const inverted = (text) => {
  const made = new Map();
  for (const item of $.each($.split(text, ';'))) {
    const { 0: key, 1: words } = $.split(item, '=');
    for (const word of $.each($.split(words, ' '))) made.set(word, key);
  }
  return made;
};
const links = once(() => inverted(LINKS));
const names = once(() => inverted(NAMES));

exports.allZones = () => $.split(ZONES, ' ');
exports.canonicalZone = (name) => links().get(name) ?? name;
exports.zonesOf = (region) => {
  const start = $.text`${region}=`;
  const found = $.find($.split(REGIONS, ';'), (item) => $.startsWith(item, start));
  return found === undefined ? [] : $.split($.slice(found, start.length), ' ');
};
/** The names of a zone: { standard, daylight, generic, shortStandard, shortDaylight }. */
exports.zoneNames = (name) => {
  const found = names().get(name);
  if (found === undefined) return undefined;
  const { 0: standard, 1: daylight, 2: generic, 3: shortStandard, 4: shortDaylight } = $.split(found, '|');
  return {
    standard, daylight: daylight || standard, generic: generic || standard, shortStandard,
    shortDaylight: shortDaylight || shortStandard,
  };
};
