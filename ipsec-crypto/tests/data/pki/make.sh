#!/bin/sh
# Makes the certificates and revocation lists of this folder with OpenSSL, and writes down what OpenSSL says of the cases in
# cases.txt. Run once: the results are committed, and no test needs OpenSSL. Keys are new each time and not kept.
set -eu
cd "$(dirname "$0")"
here=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rm -f -- *.der bundle.pem openssl.txt
cd "$work"

cat > ca.cnf <<'CNF'
[ca]
default_ca = one
[one]
database = index.txt
serial = serial
new_certs_dir = .
policy = any
unique_subject = no
crlnumber = crlnumber
default_crl_days = 30
[any]
C = optional
O = optional
OU = optional
CN = optional
emailAddress = optional
[req]
distinguished_name = none
[none]
CNF

cat > ext.cnf <<'CNF'
[root]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[ca]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[ca0]
basicConstraints = critical,CA:true,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[ca_no_sign]
basicConstraints = critical,CA:true
keyUsage = critical,cRLSign
[ca_no_crl]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign
[ca_code]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign
extendedKeyUsage = codeSigning
[ca_names]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
nameConstraints = critical,permitted;DNS:example.org,excluded;DNS:bad.example.org,permitted;IP:192.0.2.0/255.255.255.0,permitted;dirName:dir,permitted;email:example.org
[ca_not_names]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
nameConstraints = critical,excluded;dirName:dir,excluded;email:.example.org,excluded;IP:2001:db8::/ffff:ffff::
[ca_other_names]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
nameConstraints = critical,permitted;RID:1.2.3
[dir]
C = CH
O = Example
[gw]
keyUsage = critical,digitalSignature
extendedKeyUsage = 1.3.6.1.5.5.7.3.17
subjectAltName = DNS:gw.example.org,email:user@example.org,IP:192.0.2.1,IP:2001:db8::1
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[plain]
subjectAltName = DNS:gw.example.org
[bare]
basicConstraints = CA:false
[only_names]
subjectAltName = critical,DNS:gw.example.org
[wildcard]
subjectAltName = DNS:*.example.org
[encipher]
keyUsage = critical,keyEncipherment
[nonrep]
keyUsage = critical,nonRepudiation
[eku_code]
extendedKeyUsage = codeSigning
[eku_server]
extendedKeyUsage = serverAuth,codeSigning
[eku_any]
extendedKeyUsage = anyExtendedKeyUsage
[critical]
1.2.3.4 = critical,ASN1:NULL
[policies]
certificatePolicies = critical,1.2.3.4
[explicit]
policyConstraints = critical,requireExplicitPolicy:0
[point]
crlDistributionPoints = URI:http://crl.example.org/a.crl
subjectAltName = DNS:gw.example.org
[name_dns]
subjectAltName = DNS:gw.example.com
[name_excluded]
subjectAltName = DNS:gw.bad.example.org
[name_ip]
subjectAltName = IP:198.51.100.1
[name_email]
subjectAltName = email:user@example.com
[name_below]
subjectAltName = email:user@a.example.org
[name_ip6]
subjectAltName = IP:2001:db8::1
[name_rid]
subjectAltName = RID:1.2.3.4
[name_mix]
subjectAltName = DNS:a.example.org,IP:192.0.2.7,email:user@example.org
[crl_plain]
authorityKeyIdentifier = keyid
[crl_users]
issuingDistributionPoint = critical,@users
[users]
fullname = URI:http://crl.example.org/a.crl
onlyuser = TRUE
[crl_other_point]
issuingDistributionPoint = critical,@other
[other]
fullname = URI:http://crl.example.org/b.crl
[crl_authorities]
issuingDistributionPoint = critical,@authorities
[authorities]
onlyCA = TRUE
[crl_delta]
2.5.29.27 = critical,ASN1:INTEGER:1
[crl_critical]
1.2.3.4 = critical,ASN1:NULL
[many]
subjectAltName = @many_names
[too_many]
subjectAltName = @too_many_names
[many_names]
CNF
i=0; while [ $i -lt 128 ]; do echo "DNS.$i = h$((i % 100)).example.org"; i=$((i + 1)); done >> ext.cnf
echo "[too_many_names]" >> ext.cnf
i=0; while [ $i -lt 129 ]; do echo "DNS.$i = h$i.example.org"; i=$((i + 1)); done >> ext.cnf

number=4096
key() { # NAME ALGORITHM
    case $2 in
        rsa*) openssl genpkey -algorithm RSA -pkeyopt "rsa_keygen_bits:${2#rsa}" -out "$1.key" 2> log ;;
        ed25519) openssl genpkey -algorithm ed25519 -out "$1.key" ;;
        *) openssl genpkey -algorithm EC -pkeyopt "ec_paramgen_curve:$2" -out "$1.key" ;;
    esac
}
# NAME SUBJECT KEY ISSUER EXTENSIONS [MORE OPTIONS]: a certificate for KEY, signed with the key of ISSUER.
cert() {
    name=$1 subject=$2 key=$3 issuer=$4 extensions=$5
    shift 5
    [ $# -gt 0 ] || set -- -startdate 20200101000000Z -enddate 20991231235959Z -md sha256
    number=$((number + 1))
    printf '%X\n' $number > serial
    : > index.txt
    openssl req -config ca.cnf -new -key "$key.key" -subj "$subject" -out csr
    if [ "$issuer" = self ]; then set -- "$@" -selfsign -keyfile "$key.key"
    else set -- "$@" -cert "$issuer.pem" -keyfile "$issuer.key"; fi
    openssl ca -config ca.cnf -batch -notext -preserveDN -in csr -out "$name.pem" -extfile ext.cnf -extensions "$extensions" \
        "$@" 2> log || { cat log; exit 1; }
    [ -f "$name.key" ] || cp "$key.key" "$name.key"
    openssl x509 -in "$name.pem" -outform DER -out "$here/$name.der"
}
serial_of() { openssl x509 -in "$1.pem" -noout -serial | cut -d= -f2; }
# NAME ISSUER EXTENSIONS FROM TO [REVOKED REASON]...
crl() {
    name=$1 issuer=$2 extensions=$3 this=$4 next=$5
    shift 5
    : > index.txt
    while [ $# -gt 0 ]; do
        printf 'R\t991231235959Z\t250601000000Z,%s\t%s\tunknown\t/CN=%s\n' "$2" "$(serial_of "$1")" "$1" >> index.txt
        shift 2
    done
    echo 01 > crlnumber
    openssl ca -config ca.cnf -gencrl -cert "$issuer.pem" -keyfile "$issuer.key" -crlexts "$extensions" -md sha256 \
        -crl_lastupdate "$this" -crl_nextupdate "$next" -out "$name.crl.pem" 2> log || { cat log; exit 1; }
    openssl crl -in "$name.crl.pem" -outform DER -out "$here/$name.crl.der"
}
cat ext.cnf >> ca.cnf
when="-startdate 20200101000000Z -enddate 20991231235959Z"

for name in root_rsa mid_rsa gw_rsa revoked_mid; do key $name rsa2048; done
key root_ec P-384; key mid_ec P-256; key ec P-256; key gw_ec384 P-384; key gw_ec521 P-521
key weak rsa1024; key weak_ca rsa1024; key big rsa4096; key edwards ed25519; key other P-256; key other_ec P-384

cert root_rsa "/C=CH/O=Example/CN=Root RSA" root_rsa self root
cert mid_rsa "/C=CH/O=Example/CN=Mid RSA" mid_rsa root_rsa ca
cert gw_rsa "/C=CH/O=Example/CN=gw-rsa" gw_rsa mid_rsa gw
cert root_ec "/C=CH/O=Example/CN=Root EC" root_ec self root $when -md sha384
cert mid_ec "/C=CH/O=Example/CN=Mid EC" mid_ec root_ec ca $when -md sha384
cert mid_ec_cross "/C=CH/O=Example/CN=Mid EC" mid_ec root_rsa ca $when -md sha512
cert gw_ec "/C=CH/O=Example/OU=Gateways/CN=gw-ec" ec mid_ec gw
cert gw_ec384 "/C=CH/O=Example/CN=gw-ec384" gw_ec384 root_ec gw $when -md sha384
cert gw_ec521 "/C=CH/O=Example/CN=gw-ec521" gw_ec521 root_rsa gw $when -md sha384
cert gw_big "/C=CH/O=Example/CN=gw-big" big mid_rsa gw

cert expired "/CN=expired" ec mid_rsa plain -startdate 20200101000000Z -enddate 20210101000000Z -md sha256
cert not_yet "/CN=not-yet" ec mid_rsa plain -startdate 20900101000000Z -enddate 20991231235959Z -md sha256
cert expired_mid "/CN=Expired Mid" other root_ec ca -startdate 20200101000000Z -enddate 20210101000000Z -md sha384
cert under_expired "/CN=under-expired" ec expired_mid plain
cert expired_root "/CN=Expired Root" other self root -startdate 20200101000000Z -enddate 20210101000000Z -md sha256
cert under_expired_root "/CN=under-expired-root" ec expired_root plain

cert revoked "/CN=revoked" ec mid_rsa plain
cert revoked_mid "/CN=Revoked Mid" revoked_mid root_rsa ca
cert under_revoked "/CN=under-revoked" ec revoked_mid plain
cert pointed "/CN=pointed" ec mid_rsa point
cert no_crl "/CN=No CRL" other root_rsa ca_no_crl
cert under_no_crl "/CN=under-no-crl" ec no_crl plain

cert namesake "/C=CH/O=Example/CN=Mid RSA" other self root
key other_root P-256
cert other_root "/CN=Other Root" other_root self root
cert unknown "/CN=unknown" ec other_root plain
cert forged "/CN=forged" ec namesake plain
cert pinned "/CN=pinned" ec self plain
cert pinned_ca "/CN=pinned-ca" ec self root

key loop_a P-256; key loop_b P-256
cert loop_a0 "/CN=Loop A" loop_a self root; cert loop_b0 "/CN=Loop B" loop_b self root
cp loop_a0.pem loop_a.pem; cp loop_b0.pem loop_b.pem
cert loop_a_by_b "/CN=Loop A" loop_a loop_b ca; cert loop_b_by_a "/CN=Loop B" loop_b loop_a ca
cert looped "/CN=looped" ec loop_a plain
rm "$here/loop_a0.der" "$here/loop_b0.der"

previous=root_ec
for i in 1 2 3 4 5 6 7 8 9; do
    key deep_$i P-256
    cert deep_$i "/CN=Deep $i" deep_$i $previous ca
    previous=deep_$i
done
cert under_8 "/CN=under-8" ec deep_8 plain
cert under_9 "/CN=under-9" ec deep_9 plain
key short P-256; key too_deep P-256; key renewed P-256
cert short "/CN=Short" short root_ec ca0
cert under_short "/CN=under-short" ec short plain
cert too_deep "/CN=Too Deep" too_deep short ca
cert under_too_deep "/CN=under-too-deep" ec too_deep plain
cert short_renewed "/CN=Short" renewed short ca0
cert under_renewed "/CN=under-renewed" ec short_renewed plain

key names P-256; key names_sub P-256
cert names "/CN=Names" names root_ec ca_names
cert names_good "/C=CH/O=Example/CN=good" ec names name_mix
cert names_dns "/C=CH/O=Example/CN=dns" ec names name_dns
cert names_excluded "/C=CH/O=Example/CN=excluded" ec names name_excluded
cert names_ip "/C=CH/O=Example/CN=ip" ec names name_ip
cert names_email "/C=CH/O=Example/CN=email" ec names name_email
cert names_dn "/C=CH/O=Other/CN=dn" ec names plain
cert names_subject_email "/C=CH/O=Example/CN=subject/emailAddress=user@example.com" ec names plain
cert names_sub "/C=CH/O=Example/CN=Names Sub" names_sub names ca
cert names_below "/C=CH/O=Example/CN=below" ec names_sub name_dns
key not_names P-256
cert not_names "/CN=Not Names" not_names root_ec ca_not_names
cert not_names_good "/C=CH/O=Other/CN=good" ec not_names plain
cert not_names_dn "/C=CH/O=Example/CN=dn" ec not_names plain
cert not_names_email "/C=CH/O=Other/CN=email" ec not_names name_below
cert not_names_ip "/C=CH/O=Other/CN=ip" ec not_names name_ip6
cert other_names "/CN=Other Names" other root_ec ca_other_names
cert other_names_good "/CN=good" ec other_names plain
cert other_names_rid "/CN=rid" ec other_names name_rid

cert encipher "/CN=encipher" ec mid_rsa encipher
cert nonrep "/CN=nonrep" ec mid_rsa nonrep
cert eku_code "/CN=eku-code" ec mid_rsa eku_code
cert eku_server "/CN=eku-server" ec mid_rsa eku_server
cert eku_any "/CN=eku-any" ec mid_rsa eku_any
cert under_leaf "/CN=under-leaf" ec gw_rsa plain
cert bare "/CN=bare" other mid_rsa bare
cert under_bare "/CN=under-bare" ec bare plain
cert no_sign "/CN=No Sign" other root_rsa ca_no_sign
cert under_no_sign "/CN=under-no-sign" ec no_sign plain
cert ca_code "/CN=CA Code" other root_rsa ca_code
cert under_code "/CN=under-code" ec ca_code plain
cert critical "/CN=critical" ec mid_rsa critical
cert policies "/CN=policies" ec mid_rsa policies
cert explicit "/CN=explicit" ec mid_rsa explicit

cert sha1 "/CN=sha1" ec mid_rsa plain $when -md sha1
cert sha1_ec "/CN=sha1-ec" ec mid_ec plain $when -md sha1
cert md5 "/CN=md5" ec mid_rsa plain $when -md md5
cert pss "/CN=pss" ec mid_rsa plain $when -md sha256 -sigopt rsa_padding_mode:pss
cert weak "/CN=weak" weak mid_rsa plain
cert weak_ca "/CN=Weak CA" weak_ca root_rsa ca
cert under_weak "/CN=under-weak" ec weak_ca plain
cert edwards "/CN=edwards" edwards mid_rsa plain

cert only_names "/" ec mid_rsa only_names
cert wildcard "/CN=wildcard" ec mid_rsa wildcard
cert many "/CN=many" ec mid_rsa many
cert too_many "/CN=too-many" ec mid_rsa too_many

from=20250101000000Z to=20991231235959Z
crl root_rsa root_rsa crl_plain $from $to revoked_mid keyCompromise
crl root_ec root_ec crl_plain $from $to
crl mid_rsa mid_rsa crl_plain $from $to revoked superseded pointed certificateHold
crl mid_rsa_old mid_rsa crl_plain 20240101000000Z 20250101000000Z revoked superseded
crl mid_rsa_future mid_rsa crl_plain 20900101000000Z $to revoked superseded
crl mid_rsa_users mid_rsa crl_users $from $to revoked superseded pointed cessationOfOperation
crl mid_rsa_other mid_rsa crl_other_point $from $to pointed cessationOfOperation
crl mid_rsa_authorities mid_rsa crl_authorities $from $to pointed cessationOfOperation
crl mid_rsa_delta mid_rsa crl_delta $from $to revoked superseded
crl mid_rsa_critical mid_rsa crl_critical $from $to revoked superseded
crl forged namesake crl_plain $from $to
crl revoked_mid revoked_mid crl_plain $from $to
crl no_crl no_crl crl_plain $from $to under_no_crl superseded

{
    echo "Bag Attributes"
    openssl x509 -in gw_rsa.pem
    openssl ecparam -name P-256
    openssl x509 -in mid_rsa.pem
    cat mid_rsa.crl.pem
} > "$here/bundle.pem"

# What OpenSSL says: at 2030-01-01, path alone, and with revocation where the case has lists.
list() { [ "$1" = - ] || for name in $(echo "$1" | tr , ' '); do cat "$name$2.pem"; done; }
grep -v '^#' "$here/cases.txt" | while read -r case leaf anchors intermediates crls _; do
    [ -n "$case" ] || continue
    list "$anchors" "" > trusted.pem
    list "$intermediates" "" > untrusted.pem
    set -- -attime 1893456000 -no-CAfile -no-CApath -no-CAstore -CAfile trusted.pem
    [ ! -s untrusted.pem ] || set -- "$@" -untrusted untrusted.pem
    [ "$anchors" != "$leaf" ] || set -- "$@" -partial_chain
    if [ "$crls" != - ]; then
        list "$crls" .crl > crls.pem
        set -- "$@" -CRLfile crls.pem -crl_check
    fi
    if openssl verify "$@" "$leaf.pem" > log 2>&1; then verdict=OK
    else verdict=$(sed -n 's/^error \([0-9]*\) at \([0-9]*\) depth lookup: */\1 /p' log | head -1); fi
    [ -n "$verdict" ] || verdict=error
    echo "$case $verdict" >> "$here/openssl.txt"
done
