import type { Hypervisor, Offered } from '../common.ts'
import { defineKind } from '../define-kind.ts'
import type { CommonStatus } from '../meta.ts'
import type { ByteQuantity, ObjectName, Quantity, URL } from '../scalars.ts'
import type { DiskFormat } from '../storage/volume.ts'

/** PublicTemplate is an image that every tenant may start machines from. */
export const PublicTemplate = defineKind<PublicTemplateSpec, PublicTemplateStatus>({
  group: 'compute.skystead.dev',
  version: 'v1alpha1',
  kind: 'PublicTemplate',
  plural: 'publictemplates',
  scope: 'Cluster',
  shortNames: ['ptmpl'],
  columns: [
    { name: 'OS', type: 'string', jsonPath: '.spec.osType' },
    { name: 'Size', type: 'string', jsonPath: '.spec.size' },
    { name: 'Allocation', type: 'string', jsonPath: '.spec.allocationState', priority: 1 },
  ],
  conditions: {
    Downloaded: 'The image is whole in every zone that needs a copy.',
  },
  shard: 'global',
})

/** PublicTemplateSpec describes a template. */
export interface PublicTemplateSpec extends Offered {
  /**
   * osType is the guest's operating system; 'Other' where it is not known.
   * @minLength 1
   * @maxLength 63
   * @see TPL-055
   */
  readonly osType: string
  /**
   * images lists the template's image for each hypervisor.
   * @listType map
   * @listMapKey hypervisor
   * @minItems 1
   * @maxItems 8
   * @see TPL-002
   */
  readonly images: readonly TemplateImage[]
  /**
   * size is the size of root disks made from the template, where neither machine nor offering names a larger one.
   * It cannot be changed. Default '8Gi'.
   * @default "8Gi"
   * @immutable
   */
  readonly size: ByteQuantity
  /** minimumMemory is the least memory that a machine needs. Left out: there is no such bound. */
  readonly minimumMemory?: ByteQuantity
  /**
   * passwordEnabled says that the image takes a password at its start. Default false.
   * @default false
   */
  readonly passwordEnabled: boolean
}

/**
 * TemplateImage is a template's image for one hypervisor.
 * @cel self.hypervisor != 'KVM' || self.format in ['QCOW2', 'RAW'] :: `format` must be 'QCOW2' or 'RAW' where `hypervisor` is 'KVM'
 * @cel self.hypervisor != 'XenServer' || self.format == 'VHD' :: `format` must be 'VHD' where `hypervisor` is 'XenServer'
 * @cel self.hypervisor != 'VSphere' || self.format in ['OVA', 'VMDK'] :: `format` must be 'OVA' or 'VMDK' where `hypervisor` is 'VSphere'
 * @cel self.hypervisor != 'HyperV' || self.format in ['VHD', 'VHDX'] :: `format` must be 'VHD' or 'VHDX' where `hypervisor` is 'HyperV'
 * @cel self.hypervisor != 'LXC' || self.format == 'TAR' :: `format` must be 'TAR' where `hypervisor` is 'LXC'
 * @see TPL-019
 */
export interface TemplateImage {
  /** hypervisor says which hosts the image is for. */
  readonly hypervisor: Hypervisor
  /** format is the format of the image. */
  readonly format: DiskFormat
  /**
   * url says where the image is: `https://…`, `file:///…`, `sim://…`. It cannot be changed: make another template.
   * @immutable
   * @cel self.matches('^(sim|file|http|https|nfs)://[^ ]+$') :: must be a URL such as 'sim://name', 'file:///image' or 'https://server/image'
   */
  readonly url: URL
  /**
   * checksum is what the image must sum up to: `sha256:` and hexadecimal digits, or `md5`, `sha1`, `sha512`. Left
   * out: it is not checked.
   * @maxLength 160
   * @pattern ^(md5:[0-9a-f]{32}|sha1:[0-9a-f]{40}|sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$
   * @see TPL-018
   */
  readonly checksum?: string
}

/** PublicTemplateStatus is what is known of a template. */
export interface PublicTemplateStatus extends CommonStatus {
  /**
   * zones lists the template's copies.
   * @listType map
   * @listMapKey zoneName
   * @maxItems 1024
   * @see TPL-032
   */
  readonly zones?: readonly TemplateCopy[]
}

/** TemplateCopy is what is known of a template's copy in one zone. */
export interface TemplateCopy {
  /** zoneName names the zone. */
  readonly zoneName: ObjectName
  /**
   * progressPercent is how much of the image has arrived, in steps of 5; 100 when it is whole and checked.
   * @integer
   * @minimum 0
   * @maximum 100
   * @see TPL-015
   */
  readonly progressPercent: number
  /** size is the size of the image as it is. */
  readonly size?: Quantity
  /**
   * message says why the copy cannot be made, where it cannot.
   * @maxLength 1024
   * @see TPL-022
   */
  readonly message?: string
}
