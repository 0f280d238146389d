/**
 * Scalar types of the API, each with its bounds. A field of one of these types takes the tags written here
 * first, then its own; the generator reads both.
 */

/**
 * The name of another object: a DNS subdomain of RFC 1123.
 * @minLength 1
 * @maxLength 253
 * @pattern ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
 */
export type ObjectName = string

/**
 * A DNS label: the key of an entry in a list, a guest's host name.
 * @minLength 1
 * @maxLength 63
 * @pattern ^[a-z0-9]([-a-z0-9]*[a-z0-9])?$
 */
export type Label = string

/**
 * A domain name of RFC 1123, lower case, without a closing dot.
 * @minLength 1
 * @maxLength 253
 * @pattern ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
 */
export type DNSName = string

/**
 * An amount as Kubernetes writes it: `512Mi`, `20Gi`, `200M`, `1500m`. Not negative.
 * @maxLength 32
 * @cel self.matches('^[0-9]+([.][0-9]+)?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$') :: must be an amount such as '512Mi', '20Gi' or '1500m'
 */
export type Quantity = string

/**
 * A number of bytes as Kubernetes writes it, above zero: `512Mi`, `20Gi`, `2Ti`.
 * @maxLength 32
 * @cel self.matches('^[0-9]+([.][0-9]+)?(k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$') :: must be a size such as '512Mi', '20Gi' or '2Ti'
 * @cel !isQuantity(self) || quantity(self).isGreaterThan(quantity('0')) :: must be greater than '0', for example '20Gi'
 */
export type ByteQuantity = string

/**
 * A length of time as Go writes it: `90s`, `10m`, `1h30m`, `500ms`.
 * @maxLength 32
 * @cel self.matches('^([0-9]+([.][0-9]+)?(ms|s|m|h))+$') :: must be a length of time such as '90s', '10m' or '1h30m'
 */
export type Duration = string

/**
 * A moment of RFC 3339.
 * @format date-time
 * @maxLength 40
 */
export type Time = string

/**
 * A decimal number: `1.5`, `0.85`.
 * @maxLength 16
 * @cel self.matches('^[0-9]{1,5}([.][0-9]{1,6})?$') :: must be a decimal number such as '1.5'
 */
export type Ratio = string

/**
 * An IPv4 or IPv6 address.
 * @maxLength 45
 * @cel isIP(self) :: must be an IPv4 or IPv6 address, for example '192.0.2.53'
 */
export type IPAddress = string

/**
 * An IPv4 address: `10.1.1.17`.
 * @maxLength 15
 * @cel self.matches('^((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])[.]){3}(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])$') :: must be an IPv4 address such as '10.1.1.17'
 */
export type IPv4Address = string

/**
 * A network in CIDR notation, IPv4 or IPv6 (in its shortest form), with no host bits set.
 * @maxLength 49
 * @cel isCIDR(self) && string(cidr(self).masked()) == self :: must be a network in CIDR notation with no host bits set, for example '10.1.1.0/24' or '2001:db8::/32'
 */
export type CIDR = string

/**
 * An IPv4 network in CIDR notation with no host bits set: `10.1.1.0/24`.
 * @maxLength 18
 * @cel self.matches('^((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])[.]){3}(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])/(3[0-2]|[12]?[0-9])$') :: must be an IPv4 network in CIDR notation such as '10.1.1.0/24'
 * @cel !isCIDR(self) || string(cidr(self).masked()) == self :: must have no host bits set: write the network's own address, for example '10.1.1.0/24'
 */
export type IPv4CIDR = string

/**
 * IPv4 addresses, first to last (`10.0.0.10-10.0.0.60`), or a single one.
 * @maxLength 31
 * @cel self.matches('^((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])[.]){3}(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(-((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])[.]){3}(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9]))?$') :: must be an IPv4 address or a range such as '10.0.0.10-10.0.0.60'
 * @cel !self.matches('^[0-9]{1,3}([.][0-9]{1,3}){3}-[0-9]{1,3}([.][0-9]{1,3}){3}$') || [[self.substring(0, self.indexOf('-')).split('.'), self.substring(self.indexOf('-') + 1).split('.')].map(octets, int(octets[0]) * 16777216 + int(octets[1]) * 65536 + int(octets[2]) * 256 + int(octets[3]))].all(ends, ends[0] <= ends[1]) :: must go from a lower to a higher address, for example '10.0.0.10-10.0.0.60'
 */
export type IPRange = string

/**
 * An Ethernet address, lower case: `02:00:4c:11:22:33`. Unicast only.
 * @maxLength 17
 * @cel self.matches('^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$') :: must be a unicast MAC address in lower case such as '02:00:4c:11:22:33'
 */
export type MACAddress = string

/**
 * A UUID, lower case.
 * @minLength 36
 * @maxLength 36
 * @pattern ^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$
 */
export type UUID = string

/**
 * A TCP or UDP port.
 * @integer
 * @minimum 1
 * @maximum 65535
 */
export type Port = number

/**
 * TCP or UDP ports, first to last: `8000-8100`, or a single one.
 * @maxLength 11
 * @cel self.matches('^[1-9][0-9]{0,4}(-[1-9][0-9]{0,4})?$') :: must be a port or a range such as '8000-8100'
 * @cel !self.matches('^[0-9]{1,5}(-[0-9]{1,5})?$') || (int(self.split('-')[0]) <= int(self.split('-')[size(self.split('-')) - 1]) && int(self.split('-')[size(self.split('-')) - 1]) <= 65535) :: must go from a lower to a higher port of at most 65535, for example '8000-8100'
 */
export type PortRange = string

/**
 * VLAN ids or VNIs, first to last: `100-199`, or a single one.
 * @maxLength 17
 * @cel self.matches('^[1-9][0-9]{0,7}(-[1-9][0-9]{0,7})?$') :: must be a number or a range such as '100-199'
 * @cel !self.matches('^[0-9]{1,8}(-[0-9]{1,8})?$') || int(self.split('-')[0]) <= int(self.split('-')[size(self.split('-')) - 1]) :: must go from a lower to a higher number, for example '100-199'
 */
export type VLANRange = string

/**
 * A VLAN id or a VNI.
 * @integer
 * @minimum 1
 * @maximum 16777215
 */
export type Segment = number

/**
 * A VLAN id.
 * @integer
 * @minimum 1
 * @maximum 4094
 */
export type VLANId = number

/**
 * A tag that offerings and places are matched by.
 * @minLength 1
 * @maxLength 63
 * @pattern ^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$
 */
export type Tag = string

/**
 * A URL without user name and password. Each field says which schemes it takes.
 * @maxLength 2048
 * @cel !self.matches('^[a-z0-9+.-]+://[^/]*@') :: must not hold a user name or password: put them into a Secret
 */
export type URL = string

/**
 * The name of a bridge, port group or virtual switch on hosts.
 * @minLength 1
 * @maxLength 80
 */
export type NetworkLabel = string

/**
 * Text for people.
 * @maxLength 255
 */
export type DisplayText = string

/**
 * A number of things seen.
 * @integer
 * @minimum 0
 * @maximum 2147483647
 */
export type Count = number

/**
 * A number of CPU cores.
 * @integer
 * @minimum 1
 * @maximum 1024
 */
export type Cores = number

/**
 * A clock rate in MHz.
 * @integer
 * @minimum 1
 * @maximum 100000
 */
export type MHz = number

/**
 * A data rate in Mbit/s; 0 is unlimited.
 * @integer
 * @minimum 0
 * @maximum 1000000
 */
export type Mbps = number

/**
 * A number of bytes, where programs rather than people write it.
 * @integer
 * @minimum 0
 * @maximum 9007199254740991
 */
export type ByteCount = number

/**
 * An absolute path on a host.
 * @minLength 1
 * @maxLength 1024
 * @pattern ^\/[^ ]*$
 */
export type Path = string
