// English names of currencies, regions, languages and scripts, from CLDR 48. Each list is taken apart when it is first
// needed.
const CURRENCIES =
  'AED|United Arab Emirates Dirham|UAE dirham|UAE dirhams;AFN|Afghan Afghani|Afghan Afghani|Afghan Afghanis;' +
  'ALL|Albanian Lek|Albanian lek|Albanian lekë;AMD|Armenian Dram|Armenian dram|Armenian drams;ANG|Netherlands ' +
  'Antillean Guilder|Netherlands Antillean guilder|Netherlands Antillean guilders;AOA|Angolan Kwanza|Angolan ' +
  'kwanza|Angolan kwanzas;ARS|Argentine Peso|Argentine peso|Argentine pesos;AUD|Australian Dollar|Australian ' +
  'dollar|Australian dollars;AWG|Aruban Florin|Aruban florin|Aruban florin;AZN|Azerbaijani Manat|Azerbaijani ' +
  'manat|Azerbaijani manats;BAM|Bosnia-Herzegovina Convertible Mark|Bosnia-Herzegovina convertible ' +
  'mark|Bosnia-Herzegovina convertible marks;BBD|Barbadian Dollar|Barbadian dollar|Barbadian dollars;' +
  'BDT|Bangladeshi Taka|Bangladeshi taka|Bangladeshi takas;BGN|Bulgarian Lev|Bulgarian lev|Bulgarian leva;' +
  'BHD|Bahraini Dinar|Bahraini dinar|Bahraini dinars;BIF|Burundian Franc|Burundian franc|Burundian francs;' +
  'BMD|Bermudan Dollar|Bermudan dollar|Bermudan dollars;BND|Brunei Dollar|Brunei dollar|Brunei dollars;' +
  'BOB|Bolivian Boliviano|Bolivian boliviano|Bolivian bolivianos;BRL|Brazilian Real|Brazilian real|Brazilian ' +
  'reals;BSD|Bahamian Dollar|Bahamian dollar|Bahamian dollars;BTN|Bhutanese Ngultrum|Bhutanese ' +
  'ngultrum|Bhutanese ngultrums;BWP|Botswanan Pula|Botswanan pula|Botswanan pulas;BYN|Belarusian ' +
  'Ruble|Belarusian ruble|Belarusian rubles;BZD|Belize Dollar|Belize dollar|Belize dollars;CAD|Canadian ' +
  'Dollar|Canadian dollar|Canadian dollars;CDF|Congolese Franc|Congolese franc|Congolese francs;CHF|Swiss ' +
  'Franc|Swiss franc|Swiss francs;CLP|Chilean Peso|Chilean peso|Chilean pesos;CNY|Chinese Yuan|Chinese ' +
  'yuan|Chinese yuan;COP|Colombian Peso|Colombian peso|Colombian pesos;CRC|Costa Rican Colón|Costa Rican ' +
  'colón|Costa Rican colóns;CUC|Cuban Convertible Peso|Cuban convertible peso|Cuban convertible pesos;CUP|Cuban ' +
  'Peso|Cuban peso|Cuban pesos;CVE|Cape Verdean Escudo|Cape Verdean escudo|Cape Verdean escudos;CZK|Czech ' +
  'Koruna|Czech koruna|Czech korunas;DJF|Djiboutian Franc|Djiboutian franc|Djiboutian francs;DKK|Danish ' +
  'Krone|Danish krone|Danish kroner;DOP|Dominican Peso|Dominican peso|Dominican pesos;DZD|Algerian ' +
  'Dinar|Algerian dinar|Algerian dinars;EGP|Egyptian Pound|Egyptian pound|Egyptian pounds;ERN|Eritrean ' +
  'Nakfa|Eritrean nakfa|Eritrean nakfas;ETB|Ethiopian Birr|Ethiopian birr|Ethiopian birrs;EUR|Euro|euro|euros;' +
  'FJD|Fijian Dollar|Fijian dollar|Fijian dollars;FKP|Falkland Islands Pound|Falkland Islands pound|Falkland ' +
  'Islands pounds;GBP|British Pound|British pound|British pounds;GEL|Georgian Lari|Georgian lari|Georgian laris;' +
  'GHS|Ghanaian Cedi|Ghanaian cedi|Ghanaian cedis;GIP|Gibraltar Pound|Gibraltar pound|Gibraltar pounds;' +
  'GMD|Gambian Dalasi|Gambian dalasi|Gambian dalasis;GNF|Guinean Franc|Guinean franc|Guinean francs;' +
  'GTQ|Guatemalan Quetzal|Guatemalan quetzal|Guatemalan quetzals;GYD|Guyanaese Dollar|Guyanaese dollar|Guyanaese ' +
  'dollars;HKD|Hong Kong Dollar|Hong Kong dollar|Hong Kong dollars;HNL|Honduran Lempira|Honduran ' +
  'lempira|Honduran lempiras;HRK|Croatian Kuna|Croatian kuna|Croatian kunas;HTG|Haitian Gourde|Haitian ' +
  'gourde|Haitian gourdes;HUF|Hungarian Forint|Hungarian forint|Hungarian forints;IDR|Indonesian ' +
  'Rupiah|Indonesian rupiah|Indonesian rupiahs;ILS|Israeli New Shekel|Israeli new shekel|Israeli new shekels;' +
  'INR|Indian Rupee|Indian rupee|Indian rupees;IQD|Iraqi Dinar|Iraqi dinar|Iraqi dinars;IRR|Iranian Rial|Iranian ' +
  'rial|Iranian rials;ISK|Icelandic Króna|Icelandic króna|Icelandic krónur;JMD|Jamaican Dollar|Jamaican ' +
  'dollar|Jamaican dollars;JOD|Jordanian Dinar|Jordanian dinar|Jordanian dinars;JPY|Japanese Yen|Japanese ' +
  'yen|Japanese yen;KES|Kenyan Shilling|Kenyan shilling|Kenyan shillings;KGS|Kyrgyz Som|Kyrgyz som|Kyrgyz soms;' +
  'KHR|Cambodian Riel|Cambodian riel|Cambodian riels;KMF|Comorian Franc|Comorian franc|Comorian francs;KPW|North ' +
  'Korean Won|North Korean won|North Korean won;KRW|South Korean Won|South Korean won|South Korean won;' +
  'KWD|Kuwaiti Dinar|Kuwaiti dinar|Kuwaiti dinars;KYD|Cayman Islands Dollar|Cayman Islands dollar|Cayman Islands ' +
  'dollars;KZT|Kazakhstani Tenge|Kazakhstani tenge|Kazakhstani tenges;LAK|Laotian Kip|Laotian kip|Laotian kips;' +
  'LBP|Lebanese Pound|Lebanese pound|Lebanese pounds;LKR|Sri Lankan Rupee|Sri Lankan rupee|Sri Lankan rupees;' +
  'LRD|Liberian Dollar|Liberian dollar|Liberian dollars;LSL|Lesotho Loti|Lesotho loti|Lesotho lotis;LYD|Libyan ' +
  'Dinar|Libyan dinar|Libyan dinars;MAD|Moroccan Dirham|Moroccan dirham|Moroccan dirhams;MDL|Moldovan ' +
  'Leu|Moldovan leu|Moldovan lei;MGA|Malagasy Ariary|Malagasy ariary|Malagasy ariaries;MKD|Macedonian ' +
  'Denar|Macedonian denar|Macedonian denari;MMK|Myanmar Kyat|Myanmar kyat|Myanmar kyats;MNT|Mongolian ' +
  'Tugrik|Mongolian tugrik|Mongolian tugriks;MOP|Macanese Pataca|Macanese pataca|Macanese patacas;' +
  'MRU|Mauritanian Ouguiya|Mauritanian ouguiya|Mauritanian ouguiyas;MUR|Mauritian Rupee|Mauritian ' +
  'rupee|Mauritian rupees;MVR|Maldivian Rufiyaa|Maldivian rufiyaa|Maldivian rufiyaas;MWK|Malawian ' +
  'Kwacha|Malawian kwacha|Malawian kwachas;MXN|Mexican Peso|Mexican peso|Mexican pesos;MYR|Malaysian ' +
  'Ringgit|Malaysian ringgit|Malaysian ringgits;MZN|Mozambican Metical|Mozambican metical|Mozambican meticals;' +
  'NAD|Namibian Dollar|Namibian dollar|Namibian dollars;NGN|Nigerian Naira|Nigerian naira|Nigerian nairas;' +
  'NIO|Nicaraguan Córdoba|Nicaraguan córdoba|Nicaraguan córdobas;NOK|Norwegian Krone|Norwegian krone|Norwegian ' +
  'kroner;NPR|Nepalese Rupee|Nepalese rupee|Nepalese rupees;NZD|New Zealand Dollar|New Zealand dollar|New ' +
  'Zealand dollars;OMR|Omani Rial|Omani rial|Omani rials;PAB|Panamanian Balboa|Panamanian balboa|Panamanian ' +
  'balboas;PEN|Peruvian Sol|Peruvian sol|Peruvian soles;PGK|Papua New Guinean Kina|Papua New Guinean kina|Papua ' +
  'New Guinean kina;PHP|Philippine Peso|Philippine peso|Philippine pesos;PKR|Pakistani Rupee|Pakistani ' +
  'rupee|Pakistani rupees;PLN|Polish Zloty|Polish zloty|Polish zlotys;PYG|Paraguayan Guarani|Paraguayan ' +
  'guarani|Paraguayan guaranis;QAR|Qatari Riyal|Qatari riyal|Qatari riyals;RON|Romanian Leu|Romanian ' +
  'leu|Romanian lei;RSD|Serbian Dinar|Serbian dinar|Serbian dinars;RUB|Russian Ruble|Russian ruble|Russian ' +
  'rubles;RWF|Rwandan Franc|Rwandan franc|Rwandan francs;SAR|Saudi Riyal|Saudi riyal|Saudi riyals;SBD|Solomon ' +
  'Islands Dollar|Solomon Islands dollar|Solomon Islands dollars;SCR|Seychellois Rupee|Seychellois ' +
  'rupee|Seychellois rupees;SDG|Sudanese Pound|Sudanese pound|Sudanese pounds;SEK|Swedish Krona|Swedish ' +
  'krona|Swedish kronor;SGD|Singapore Dollar|Singapore dollar|Singapore dollars;SHP|St. Helena Pound|St. Helena ' +
  'pound|St. Helena pounds;SLE|Sierra Leonean Leone|Sierra Leonean leone|Sierra Leonean leones;SLL|Sierra ' +
  'Leonean Leone (1964—2022)|Sierra Leonean leone (1964—2022)|Sierra Leonean leones (1964—2022);SOS|Somali ' +
  'Shilling|Somali shilling|Somali shillings;SRD|Surinamese Dollar|Surinamese dollar|Surinamese dollars;' +
  'SSP|South Sudanese Pound|South Sudanese pound|South Sudanese pounds;STN|São Tomé & Príncipe Dobra|São Tomé & ' +
  'Príncipe dobra|São Tomé & Príncipe dobras;SVC|Salvadoran Colón|Salvadoran colón|Salvadoran colones;SYP|Syrian ' +
  'Pound|Syrian pound|Syrian pounds;SZL|Swazi Lilangeni|Swazi lilangeni|Swazi emalangeni;THB|Thai Baht|Thai ' +
  'baht|Thai baht;TJS|Tajikistani Somoni|Tajikistani somoni|Tajikistani somonis;TMT|Turkmenistani ' +
  'Manat|Turkmenistani manat|Turkmenistani manat;TND|Tunisian Dinar|Tunisian dinar|Tunisian dinars;TOP|Tongan ' +
  'Paʻanga|Tongan paʻanga|Tongan paʻanga;TRY|Turkish Lira|Turkish lira|Turkish Lira;TTD|Trinidad & Tobago ' +
  'Dollar|Trinidad & Tobago dollar|Trinidad & Tobago dollars;TWD|New Taiwan Dollar|New Taiwan dollar|New Taiwan ' +
  'dollars;TZS|Tanzanian Shilling|Tanzanian shilling|Tanzanian shillings;UAH|Ukrainian Hryvnia|Ukrainian ' +
  'hryvnia|Ukrainian hryvnias;UGX|Ugandan Shilling|Ugandan shilling|Ugandan shillings;USD|US Dollar|US dollar|US ' +
  'dollars;UYU|Uruguayan Peso|Uruguayan peso|Uruguayan pesos;UZS|Uzbekistani Som|Uzbekistani som|Uzbekistani som;' +
  'VES|Venezuelan Bolívar|Venezuelan bolívar|Venezuelan bolívars;VND|Vietnamese Dong|Vietnamese dong|Vietnamese ' +
  'dong;VUV|Vanuatu Vatu|Vanuatu vatu|Vanuatu vatus;WST|Samoan Tala|Samoan tala|Samoan tala;XAF|Central African ' +
  'CFA Franc|Central African CFA franc|Central African CFA francs;XCD|East Caribbean Dollar|East Caribbean ' +
  'dollar|East Caribbean dollars;XCG|Caribbean guilder|Caribbean guilder|Caribbean guilders;XDR|Special Drawing ' +
  'Rights|special drawing rights|special drawing rights;XOF|West African CFA Franc|West African CFA franc|West ' +
  'African CFA francs;XPF|CFP Franc|CFP franc|CFP francs;XSU|Sucre|Sucre|Sucres;YER|Yemeni Rial|Yemeni ' +
  'rial|Yemeni rials;ZAR|South African Rand|South African rand|South African rand;ZMW|Zambian Kwacha|Zambian ' +
  'kwacha|Zambian kwachas;ZWG|Zimbabwean Gold|Zimbabwean gold|Zimbabwean gold;ZWL|Zimbabwean Dollar ' +
  '(2009–2024)|Zimbabwean dollar (2009–2024)|Zimbabwean dollars (2009–2024)';

const SYMBOLS =
  'AUD=A$ BRL=R$ CAD=CA$ CNY=CN¥ EUR=€ GBP=£ HKD=HK$ ILS=₪ INR=₹ JPY=¥ KRW=₩ MXN=MX$ NZD=NZ$ PHP=₱ TWD=NT$ USD=$ ' +
  'VND=₫ XAF=FCFA XCD=EC$ XCG=Cg. XOF=FCFA XPF=CFPF';
const NARROW =
  'AFN=؋ AMD=֏ AOA=Kz ARS=$ AUD=$ AZN=₼ BAM=KM BBD=$ BDT=৳ BMD=$ BND=$ BOB=Bs BSD=$ BWP=P BZD=$ CAD=$ CLP=$ ' +
  'CNY=¥ COP=$ CRC=₡ CUC=$ CUP=$ CZK=Kč DKK=kr DOP=$ EGP=E£ FJD=$ FKP=£ GEL=₾ GHS=GH₵ GIP=£ GNF=FG GTQ=Q GYD=$ ' +
  'HKD=$ HNL=L HRK=kn HUF=Ft IDR=Rp ISK=kr JMD=$ KGS=⃀ KHR=៛ KMF=CF KPW=₩ KYD=$ KZT=₸ LAK=₭ LBP=L£ LKR=Rs LRD=$ ' +
  'MGA=Ar MMK=K MNT=₮ MUR=Rs MXN=$ MYR=RM NAD=$ NGN=₦ NIO=C$ NOK=kr NPR=Rs NZD=$ PKR=Rs PLN=zł PYG=₲ RON=lei ' +
  'RUB=₽ RWF=RF SBD=$ SEK=kr SGD=$ SHP=£ SRD=$ SSP=£ STN=Db SYP=£ THB=฿ TOP=T$ TRY=₺ TTD=$ TWD=$ UAH=₴ UYU=$ ' +
  'XCD=$ ZAR=R ZMW=ZK';
const DIGITS =
  'AFN0 ALL0 BHD3 BIF0 CLP0 COP0 DJF0 GNF0 HUF0 IDR0 IQD0 IRR0 ISK0 JOD3 JPY0 KMF0 KPW0 KRW0 KWD3 LAK0 LBP0 LYD3 ' +
  'MGA0 MMK0 OMR3 PKR0 PYG0 RWF0 SLL0 SOS0 SYP0 TND3 UGX0 VND0 VUV0 XAF0 XOF0 XPF0 YER0';
const REGIONS =
  'AC=Ascension Island;AD=Andorra;AE=United Arab Emirates;AF=Afghanistan;AG=Antigua & Barbuda;AI=Anguilla;' +
  'AL=Albania;AM=Armenia;AO=Angola;AQ=Antarctica;AR=Argentina;AS=American Samoa;AT=Austria;AU=Australia;AW=Aruba;' +
  'AX=Åland Islands;AZ=Azerbaijan;BA=Bosnia & Herzegovina;BB=Barbados;BD=Bangladesh;BE=Belgium;BF=Burkina Faso;' +
  'BG=Bulgaria;BH=Bahrain;BI=Burundi;BJ=Benin;BL=St. Barthélemy;BM=Bermuda;BN=Brunei;BO=Bolivia;BQ=Caribbean ' +
  'Netherlands;BR=Brazil;BS=Bahamas;BT=Bhutan;BV=Bouvet Island;BW=Botswana;BY=Belarus;BZ=Belize;CA=Canada;' +
  'CC=Cocos (Keeling) Islands;CD=Congo - Kinshasa;CF=Central African Republic;CG=Congo - Brazzaville;' +
  'CH=Switzerland;CI=Côte d’Ivoire;CK=Cook Islands;CL=Chile;CM=Cameroon;CN=China;CO=Colombia;CP=Clipperton ' +
  'Island;CQ=Sark;CR=Costa Rica;CU=Cuba;CV=Cape Verde;CW=Curaçao;CX=Christmas Island;CY=Cyprus;CZ=Czechia;' +
  'DE=Germany;DG=Diego Garcia;DJ=Djibouti;DK=Denmark;DM=Dominica;DO=Dominican Republic;DZ=Algeria;EA=Ceuta & ' +
  'Melilla;EC=Ecuador;EE=Estonia;EG=Egypt;EH=Western Sahara;ER=Eritrea;ES=Spain;ET=Ethiopia;EU=European Union;' +
  'EZ=Eurozone;FI=Finland;FJ=Fiji;FK=Falkland Islands;FM=Micronesia;FO=Faroe Islands;FR=France;GA=Gabon;' +
  'GB=United Kingdom;GD=Grenada;GE=Georgia;GF=French Guiana;GG=Guernsey;GH=Ghana;GI=Gibraltar;GL=Greenland;' +
  'GM=Gambia;GN=Guinea;GP=Guadeloupe;GQ=Equatorial Guinea;GR=Greece;GS=South Georgia & South Sandwich Islands;' +
  'GT=Guatemala;GU=Guam;GW=Guinea-Bissau;GY=Guyana;HK=Hong Kong SAR China;HM=Heard & McDonald Islands;' +
  'HN=Honduras;HR=Croatia;HT=Haiti;HU=Hungary;IC=Canary Islands;ID=Indonesia;IE=Ireland;IL=Israel;IM=Isle of Man;' +
  'IN=India;IO=British Indian Ocean Territory;IQ=Iraq;IR=Iran;IS=Iceland;IT=Italy;JE=Jersey;JM=Jamaica;JO=Jordan;' +
  'JP=Japan;KE=Kenya;KG=Kyrgyzstan;KH=Cambodia;KI=Kiribati;KM=Comoros;KN=St. Kitts & Nevis;KP=North Korea;' +
  'KR=South Korea;KW=Kuwait;KY=Cayman Islands;KZ=Kazakhstan;LA=Laos;LB=Lebanon;LC=St. Lucia;LI=Liechtenstein;' +
  'LK=Sri Lanka;LR=Liberia;LS=Lesotho;LT=Lithuania;LU=Luxembourg;LV=Latvia;LY=Libya;MA=Morocco;MC=Monaco;' +
  'MD=Moldova;ME=Montenegro;MF=St. Martin;MG=Madagascar;MH=Marshall Islands;MK=North Macedonia;ML=Mali;' +
  'MM=Myanmar (Burma);MN=Mongolia;MO=Macao SAR China;MP=Northern Mariana Islands;MQ=Martinique;MR=Mauritania;' +
  'MS=Montserrat;MT=Malta;MU=Mauritius;MV=Maldives;MW=Malawi;MX=Mexico;MY=Malaysia;MZ=Mozambique;NA=Namibia;' +
  'NC=New Caledonia;NE=Niger;NF=Norfolk Island;NG=Nigeria;NI=Nicaragua;NL=Netherlands;NO=Norway;NP=Nepal;' +
  'NR=Nauru;NU=Niue;NZ=New Zealand;OM=Oman;PA=Panama;PE=Peru;PF=French Polynesia;PG=Papua New Guinea;' +
  'PH=Philippines;PK=Pakistan;PL=Poland;PM=St. Pierre & Miquelon;PN=Pitcairn Islands;PR=Puerto Rico;' +
  'PS=Palestinian Territories;PT=Portugal;PW=Palau;PY=Paraguay;QA=Qatar;QO=Outlying Oceania;RE=Réunion;' +
  'RO=Romania;RS=Serbia;RU=Russia;RW=Rwanda;SA=Saudi Arabia;SB=Solomon Islands;SC=Seychelles;SD=Sudan;SE=Sweden;' +
  'SG=Singapore;SH=St. Helena;SI=Slovenia;SJ=Svalbard & Jan Mayen;SK=Slovakia;SL=Sierra Leone;SM=San Marino;' +
  'SN=Senegal;SO=Somalia;SR=Suriname;SS=South Sudan;ST=São Tomé & Príncipe;SV=El Salvador;SX=Sint Maarten;' +
  'SY=Syria;SZ=Eswatini;TA=Tristan da Cunha;TC=Turks & Caicos Islands;TD=Chad;TF=French Southern Territories;' +
  'TG=Togo;TH=Thailand;TJ=Tajikistan;TK=Tokelau;TL=Timor-Leste;TM=Turkmenistan;TN=Tunisia;TO=Tonga;TR=Türkiye;' +
  'TT=Trinidad & Tobago;TV=Tuvalu;TW=Taiwan;TZ=Tanzania;UA=Ukraine;UG=Uganda;UM=U.S. Outlying Islands;UN=United ' +
  'Nations;US=United States;UY=Uruguay;UZ=Uzbekistan;VA=Vatican City;VC=St. Vincent & Grenadines;VE=Venezuela;' +
  'VG=British Virgin Islands;VI=U.S. Virgin Islands;VN=Vietnam;VU=Vanuatu;WF=Wallis & Futuna;WS=Samoa;' +
  'XA=Pseudo-Accents;XB=Pseudo-Bidi;XK=Kosovo;YE=Yemen;YT=Mayotte;ZA=South Africa;ZM=Zambia;ZW=Zimbabwe;' +
  'ZZ=Unknown Region;001=world;002=Africa;003=North America;005=South America;009=Oceania;011=Western Africa;' +
  '013=Central America;014=Eastern Africa;015=Northern Africa;017=Middle Africa;018=Southern Africa;019=Americas;' +
  '021=Northern America;029=Caribbean;030=Eastern Asia;034=Southern Asia;035=Southeast Asia;039=Southern Europe;' +
  '053=Australasia;054=Melanesia;057=Micronesian Region;061=Polynesia;142=Asia;143=Central Asia;145=Western Asia;' +
  '150=Europe;151=Eastern Europe;154=Northern Europe;155=Western Europe;202=Sub-Saharan Africa;419=Latin America';

const LANGUAGES =
  'aa=Afar;ab=Abkhazian;ae=Avestan;af=Afrikaans;ak=Akan;am=Amharic;an=Aragonese;ar=Arabic;as=Assamese;av=Avaric;' +
  'ay=Aymara;az=Azerbaijani;ba=Bashkir;be=Belarusian;bg=Bulgarian;bi=Bislama;bm=Bambara;bn=Bangla;bo=Tibetan;' +
  'br=Breton;bs=Bosnian;ca=Catalan;ce=Chechen;ch=Chamorro;co=Corsican;cr=Cree;cs=Czech;cu=Church Slavic;' +
  'cv=Chuvash;cy=Welsh;da=Danish;de=German;dv=Divehi;dz=Dzongkha;ee=Ewe;el=Greek;en=English;eo=Esperanto;' +
  'es=Spanish;et=Estonian;eu=Basque;fa=Persian;ff=Fula;fi=Finnish;fj=Fijian;fo=Faroese;fr=French;fy=Western ' +
  'Frisian;ga=Irish;gd=Scottish Gaelic;gl=Galician;gn=Guarani;gu=Gujarati;gv=Manx;ha=Hausa;he=Hebrew;hi=Hindi;' +
  'ho=Hiri Motu;hr=Croatian;ht=Haitian Creole;hu=Hungarian;hy=Armenian;hz=Herero;ia=Interlingua;id=Indonesian;' +
  'ie=Interlingue;ig=Igbo;ii=Sichuan Yi;ik=Inupiaq;io=Ido;is=Icelandic;it=Italian;iu=Inuktitut;ja=Japanese;' +
  'jv=Javanese;ka=Georgian;kg=Kongo;ki=Kikuyu;kj=Kuanyama;kk=Kazakh;kl=Kalaallisut;km=Khmer;kn=Kannada;ko=Korean;' +
  'kr=Kanuri;ks=Kashmiri;ku=Kurdish;kv=Komi;kw=Cornish;ky=Kyrgyz;la=Latin;lb=Luxembourgish;lg=Ganda;' +
  'li=Limburgish;ln=Lingala;lo=Lao;lt=Lithuanian;lu=Luba-Katanga;lv=Latvian;mg=Malagasy;mh=Marshallese;mi=Māori;' +
  'mk=Macedonian;ml=Malayalam;mn=Mongolian;mr=Marathi;ms=Malay;mt=Maltese;my=Burmese;na=Nauru;nb=Norwegian ' +
  'Bokmål;nd=North Ndebele;ne=Nepali;ng=Ndonga;nl=Dutch;nn=Norwegian Nynorsk;no=Norwegian;nr=South Ndebele;' +
  'nv=Navajo;ny=Nyanja;oc=Occitan;oj=Ojibwa;om=Oromo;or=Odia;os=Ossetic;pa=Punjabi;pi=Pali;pl=Polish;ps=Pashto;' +
  'pt=Portuguese;qu=Quechua;rm=Romansh;rn=Rundi;ro=Romanian;ru=Russian;rw=Kinyarwanda;sa=Sanskrit;sc=Sardinian;' +
  'sd=Sindhi;se=Northern Sami;sg=Sango;si=Sinhala;sk=Slovak;sl=Slovenian;sm=Samoan;sn=Shona;so=Somali;' +
  'sq=Albanian;sr=Serbian;ss=Swati;st=Southern Sotho;su=Sundanese;sv=Swedish;sw=Swahili;ta=Tamil;te=Telugu;' +
  'tg=Tajik;th=Thai;ti=Tigrinya;tk=Turkmen;tn=Tswana;to=Tongan;tr=Turkish;ts=Tsonga;tt=Tatar;ty=Tahitian;' +
  'ug=Uyghur;uk=Ukrainian;ur=Urdu;uz=Uzbek;ve=Venda;vi=Vietnamese;vo=Volapük;wa=Walloon;wo=Wolof;xh=Xhosa;' +
  'yi=Yiddish;yo=Yoruba;za=Zhuang;zh=Chinese;zu=Zulu;ace=Acehnese;ach=Acoli;ada=Adangme;ady=Adyghe;aeb=Tunisian ' +
  'Arabic;afh=Afrihili;agq=Aghem;ain=Ainu;akk=Akkadian;akz=Alabama;ale=Aleut;aln=Gheg Albanian;alt=Southern ' +
  'Altai;ang=Old English;ann=Obolo;anp=Angika;arc=Aramaic;arn=Mapuche;aro=Araona;arp=Arapaho;arq=Algerian Arabic;' +
  'ars=Najdi Arabic;arw=Arawak;ary=Moroccan Arabic;arz=Egyptian Arabic;asa=Asu;ase=American Sign Language;' +
  'ast=Asturian;atj=Atikamekw;avk=Kotava;awa=Awadhi;bal=Baluchi;ban=Balinese;bar=Bavarian;bas=Basaa;bax=Bamun;' +
  'bbc=Batak Toba;bbj=Ghomala;bej=Beja;bem=Bemba;bew=Betawi;bez=Bena;bfd=Bafut;bfq=Badaga;bgc=Haryanvi;' +
  'bgn=Western Balochi;bho=Bhojpuri;bik=Bikol;bin=Bini;bjn=Banjar;bkm=Kom;bla=Siksiká;blo=Anii;blt=Tai Dam;' +
  'bpy=Bishnupriya;bqi=Bakhtiari;bra=Braj;brh=Brahui;brx=Bodo;bss=Akoose;bua=Buriat;bug=Buginese;bum=Bulu;' +
  'byn=Blin;byv=Medumba;cad=Caddo;car=Carib;cay=Cayuga;cch=Atsam;ccp=Chakma;ceb=Cebuano;cgg=Chiga;chb=Chibcha;' +
  'chg=Chagatai;chk=Chuukese;chm=Mari;chn=Chinook Jargon;cho=Choctaw;chp=Chipewyan;chr=Cherokee;chy=Cheyenne;' +
  'cic=Chickasaw;ckb=Central Kurdish;clc=Chilcotin;cop=Coptic;cps=Capiznon;crg=Michif;crh=Crimean Tatar;' +
  'crj=Southern East Cree;crk=Plains Cree;crl=Northern East Cree;crm=Moose Cree;crr=Carolina Algonquian;' +
  'crs=Seselwa Creole French;csb=Kashubian;csw=Swampy Cree;dak=Dakota;dar=Dargwa;dav=Taita;del=Delaware;' +
  'den=Slave;dgr=Dogrib;din=Dinka;dje=Zarma;doi=Dogri;dsb=Lower Sorbian;dtp=Central Dusun;dua=Duala;dum=Middle ' +
  'Dutch;dyo=Jola-Fonyi;dyu=Dyula;dzg=Dazaga;ebu=Embu;efi=Efik;egl=Emilian;egy=Ancient Egyptian;eka=Ekajuk;' +
  'elx=Elamite;enm=Middle English;esu=Central Yupik;ewo=Ewondo;ext=Extremaduran;fan=Fang;fil=Filipino;' +
  'fit=Tornedalen Finnish;fon=Fon;frc=Cajun French;frm=Middle French;fro=Old French;frp=Arpitan;frr=Northern ' +
  'Frisian;frs=Eastern Frisian;fur=Friulian;gaa=Ga;gag=Gagauz;gan=Gan Chinese;gay=Gayo;gba=Gbaya;gbz=Zoroastrian ' +
  'Dari;gez=Geez;gil=Gilbertese;glk=Gilaki;gmh=Middle High German;goh=Old High German;gon=Gondi;gor=Gorontalo;' +
  'got=Gothic;grb=Grebo;grc=Ancient Greek;gsw=Swiss German;guc=Wayuu;gur=Frafra;guz=Gusii;gwi=Gwichʼin;hai=Haida;' +
  'hak=Hakka Chinese;haw=Hawaiian;hax=Southern Haida;hif=Fiji Hindi;hil=Hiligaynon;hit=Hittite;hmn=Hmong;' +
  'hnj=Hmong Njua;hsb=Upper Sorbian;hsn=Xiang Chinese;hup=Hupa;hur=Halkomelem;iba=Iban;ibb=Ibibio;ikt=Western ' +
  'Canadian Inuktitut;ilo=Iloko;inh=Ingush;izh=Ingrian;jam=Jamaican Creole English;jbo=Lojban;jgo=Ngomba;' +
  'jmc=Machame;jpr=Judeo-Persian;jrb=Judeo-Arabic;jut=Jutish;kaa=Kara-Kalpak;kab=Kabyle;kac=Kachin;kaj=Jju;' +
  'kam=Kamba;kaw=Kawi;kbd=Kabardian;kbl=Kanembu;kcg=Tyap;kde=Makonde;kea=Kabuverdianu;kek=Qʼeqchiʼ;ken=Kenyang;' +
  'kfo=Koro;kgp=Kaingang;kha=Khasi;kho=Khotanese;khq=Koyra Chiini;khw=Khowar;kiu=Kirmanjki;kkj=Kako;kln=Kalenjin;' +
  'kmb=Kimbundu;koi=Komi-Permyak;kok=Konkani;kos=Kosraean;kpe=Kpelle;krc=Karachay-Balkar;kri=Krio;krj=Kinaray-a;' +
  'krl=Karelian;kru=Kurukh;ksb=Shambala;ksf=Bafia;ksh=Colognian;kum=Kumyk;kut=Kutenai;kwk=Kwakʼwala;kxv=Kuvi;' +
  'lad=Ladino;lag=Langi;lah=Western Panjabi;lam=Lamba;lez=Lezghian;lfn=Lingua Franca Nova;lij=Ligurian;' +
  'lil=Lillooet;liv=Livonian;lkt=Lakota;lmo=Lombard;lol=Mongo;lou=Louisiana Creole;loz=Lozi;lrc=Northern Luri;' +
  'lsm=Saamia;ltg=Latgalian;lua=Luba-Lulua;lui=Luiseno;lun=Lunda;luo=Luo;lus=Mizo;luy=Luyia;lzh=Literary Chinese;' +
  'lzz=Laz;mad=Madurese;maf=Mafa;mag=Magahi;mai=Maithili;mak=Makasar;man=Mandingo;mas=Masai;mde=Maba;mdf=Moksha;' +
  'mdr=Mandar;men=Mende;mer=Meru;mfe=Morisyen;mga=Middle Irish;mgh=Makhuwa-Meetto;mgo=Metaʼ;mic=Mi\'kmaw;' +
  'min=Minangkabau;mnc=Manchu;mni=Manipuri;moe=Innu-aimun;moh=Mohawk;mos=Mossi;mrj=Western Mari;mua=Mundang;' +
  'mul=Multiple languages;mus=Muscogee;mwl=Mirandese;mwr=Marwari;mwv=Mentawai;mye=Myene;myv=Erzya;' +
  'mzn=Mazanderani;nan=Min Nan Chinese;nap=Neapolitan;naq=Nama;nds=Low German;new=Newari;nia=Nias;niu=Niuean;' +
  'njo=Ao Naga;nmg=Kwasio;nnh=Ngiemboon;nog=Nogai;non=Old Norse;nov=Novial;nqo=N’Ko;nso=Northern Sotho;nus=Nuer;' +
  'nwc=Classical Newari;nym=Nyamwezi;nyn=Nyankole;nyo=Nyoro;nzi=Nzima;ojb=Northwestern Ojibwa;ojc=Central Ojibwa;' +
  'ojs=Oji-Cree;ojw=Western Ojibwa;oka=Okanagan;osa=Osage;ota=Ottoman Turkish;pag=Pangasinan;pal=Pahlavi;' +
  'pam=Pampanga;pap=Papiamento;pau=Palauan;pcd=Picard;pcm=Nigerian Pidgin;pdc=Pennsylvania German;' +
  'pdt=Plautdietsch;peo=Old Persian;pfl=Palatine German;phn=Phoenician;pis=Pijin;pms=Piedmontese;pnt=Pontic;' +
  'pon=Pohnpeian;pqm=Maliseet-Passamaquoddy;prg=Prussian;pro=Old Provençal;quc=Kʼicheʼ;qug=Chimborazo Highland ' +
  'Quichua;raj=Rajasthani;rap=Rapanui;rar=Rarotongan;rgn=Romagnol;rhg=Rohingya;rif=Riffian;rof=Rombo;rom=Romany;' +
  'rtm=Rotuman;rue=Rusyn;rug=Roviana;rup=Aromanian;rwk=Rwa;sad=Sandawe;sah=Yakut;sam=Samaritan Aramaic;' +
  'saq=Samburu;sas=Sasak;sat=Santali;saz=Sourashtra;sba=Ngambay;sbp=Sangu;scn=Sicilian;sco=Scots;sdc=Sassarese ' +
  'Sardinian;sdh=Southern Kurdish;see=Seneca;seh=Sena;sei=Seri;sel=Selkup;ses=Koyraboro Senni;sga=Old Irish;' +
  'sgs=Samogitian;shi=Tachelhit;shn=Shan;shu=Chadian Arabic;sid=Sidamo;slh=Southern Lushootseed;sli=Lower ' +
  'Silesian;sly=Selayar;sma=Southern Sami;smj=Lule Sami;smn=Inari Sami;sms=Skolt Sami;snk=Soninke;sog=Sogdien;' +
  'srn=Sranan Tongo;srr=Serer;ssy=Saho;stq=Saterland Frisian;str=Straits Salish;suk=Sukuma;sus=Susu;sux=Sumerian;' +
  'swb=Comorian;syc=Classical Syriac;syr=Syriac;szl=Silesian;tce=Southern Tutchone;tcy=Tulu;tem=Timne;teo=Teso;' +
  'ter=Tereno;tet=Tetum;tgx=Tagish;tht=Tahltan;tig=Tigre;tiv=Tiv;tkl=Tokelauan;tkr=Tsakhur;tlh=Klingon;' +
  'tli=Tlingit;tly=Talysh;tmh=Tamashek;tog=Nyasa Tonga;tok=Toki Pona;tpi=Tok Pisin;tru=Turoyo;trv=Taroko;' +
  'trw=Torwali;tsd=Tsakonian;tsi=Tsimshian;ttm=Northern Tutchone;ttt=Muslim Tat;tum=Tumbuka;tvl=Tuvalu;' +
  'twq=Tasawaq;tyv=Tuvinian;tzm=Central Atlas Tamazight;udm=Udmurt;uga=Ugaritic;umb=Umbundu;vai=Vai;vec=Venetian;' +
  'vep=Veps;vls=West Flemish;vmf=Main-Franconian;vmw=Makhuwa;vot=Votic;vro=Võro;vun=Vunjo;wae=Walser;' +
  'wal=Wolaytta;war=Waray;was=Washo;wbp=Warlpiri;wuu=Wu Chinese;xal=Kalmyk;xmf=Mingrelian;xnr=Kangri;xog=Soga;' +
  'yao=Yao;yap=Yapese;yav=Yangben;ybb=Yemba;yrl=Nheengatu;yue=Cantonese;zap=Zapotec;zbl=Blissymbols;' +
  'zea=Zeelandic;zen=Zenaga;zgh=Standard Moroccan Tamazight;zun=Zuni;zxx=No linguistic content;zza=Zaza';

const DIALECTS =
  'en-US=American English;en-GB=British English;en-CA=Canadian English;en-AU=Australian English;es-419=Latin ' +
  'American Spanish;es-ES=European Spanish;es-MX=Mexican Spanish;fr-CA=Canadian French;fr-CH=Swiss French;' +
  'pt-BR=Brazilian Portuguese;pt-PT=European Portuguese;zh-Hans=Simplified Chinese;zh-Hant=Traditional Chinese;' +
  'de-AT=Austrian German;de-CH=Swiss High German;nl-BE=Flemish;ro-MD=Moldavian;sw-CD=Congo Swahili;ar-001=Modern ' +
  'Standard Arabic;fa-AF=Dari;nds-NL=Low Saxon;sr-ME=Montenegrin';

const SCRIPTS =
  'Adlm=Adlam;Arab=Arabic;Armn=Armenian;Avst=Avestan;Bali=Balinese;Beng=Bangla;Bopo=Bopomofo;Brai=Braille;' +
  'Bugi=Buginese;Cans=Unified Canadian Aboriginal Syllabics;Cher=Cherokee;Copt=Coptic;Cyrl=Cyrillic;' +
  'Deva=Devanagari;Egyp=Egyptian hieroglyphs;Ethi=Ethiopic;Geor=Georgian;Goth=Gothic;Grek=Greek;Gujr=Gujarati;' +
  'Guru=Gurmukhi;Hanb=Han with Bopomofo;Hang=Hangul;Hani=Han;Hans=Simplified;Hant=Traditional;Hebr=Hebrew;' +
  'Hira=Hiragana;Hrkt=Japanese syllabaries;Jamo=Jamo;Java=Javanese;Jpan=Japanese;Kana=Katakana;Khmr=Khmer;' +
  'Knda=Kannada;Kore=Korean;Lana=Lanna;Laoo=Lao;Latf=Fraktur Latin;Latn=Latin;Limb=Limbu;Linb=Linear B;' +
  'Lisu=Fraser;Mlym=Malayalam;Mong=Mongolian;Mtei=Meitei Mayek;Mymr=Myanmar;Nkoo=N’Ko;Ogam=Ogham;Olck=Ol Chiki;' +
  'Orya=Odia;Phag=Phags-pa;Phnx=Phoenician;Rohg=Hanifi;Runr=Runic;Samr=Samaritan;Shaw=Shavian;Sinh=Sinhala;' +
  'Sund=Sundanese;Sylo=Syloti Nagri;Syrc=Syriac;Tale=Tai Le;Talu=New Tai Lue;Taml=Tamil;Telu=Telugu;' +
  'Tfng=Tifinagh;Tglg=Tagalog;Thaa=Thaana;Thai=Thai;Tibt=Tibetan;Ugar=Ugaritic;Vaii=Vai;Xsux=Sumero-Akkadian ' +
  'Cuneiform;Yiii=Yi;Zinh=Inherited;Zmth=Mathematical Notation;Zsye=Emoji;Zsym=Symbols;Zxxx=Unwritten;' +
  'Zyyy=Common;Zzzz=Unknown Script';

const pairs = (text, separator) => {
  const made = new Map();
  for (const item of $.each($.split(text, separator))) {
    const at = $.indexOf(item, '=');
    made.set($.slice(item, 0, at), $.slice(item, at + 1));
  }
  return made;
};
const once = (make) => {
  let made;
  return () => (made ??= make());
};

/** By code: the name in a title, of one, and of several. */
const currencyNames = once(() => {
  const made = new Map();
  for (const row of $.each($.split(CURRENCIES, ';'))) {
    const { 0: code, ...names } = $.split(row, '|');
    made.set(code, names);
  }
  return made;
});
const symbols = once(() => pairs(SYMBOLS, ' '));
const narrowSymbols = once(() => pairs(NARROW, ' '));
const digits = once(() => new Map($.map($.split(DIGITS, ' '), (item) => [$.slice(item, 0, 3), +$.slice(item, 3)])));

exports.currencies = () => $.map([...$.each(currencyNames())], ({ 0: code }) => code);
exports.currencyName = (code) => currencyNames().get(code)?.[1];
exports.currencyText = (code, isOne) =>
  currencyNames().get(code)?.[isOne ? 2 : 3] ?? (code === 'XXX' ? '(unknown currency)' : code);
exports.currencySymbol = (code, narrow) => (narrow ? narrowSymbols().get(code) : undefined) ?? symbols().get(code) ??
  (code === 'XXX' ? '¤' : code);
exports.currencyDigits = (code) => digits().get(code) ?? 2;
exports.regions = once(() => pairs(REGIONS, ';'));
exports.languages = once(() => pairs(LANGUAGES, ';'));
exports.dialects = once(() => pairs(DIALECTS, ';'));
exports.scripts = once(() => pairs(SCRIPTS, ';'));
